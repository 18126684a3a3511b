//! Programs that must not compile under any compiler, as documentation tests. The exact errors of
//! one compiler are in `tests/compile_fail.rs`.

macro_rules! does_not_compile {
    ($($name:ident: $code:literal, $case:literal;)*) => {$(
        #[doc = concat!("```compile_fail,", $code, "\n", include_str!($case), "\n```")]
        mod $name {}
    )*};
}

does_not_compile! {
    context_escapes: "", "../tests/compile_fail/context_escapes.rs";
    event_not_send: "E0277", "../tests/compile_fail/event_not_send.rs";
    handler_not_send: "E0277", "../tests/compile_fail/handler_not_send.rs";
    refusal_ignored: "", "../tests/compile_fail/refusal_ignored.rs";
    responder_twice: "E0382", "../tests/compile_fail/responder_twice.rs";
    wire_escapes: "E0521", "../tests/compile_fail/wire_escapes.rs";
    wrong_type: "E0308", "../tests/compile_fail/wrong_type.rs";
}
