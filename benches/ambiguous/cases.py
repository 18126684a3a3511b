"""Requests that parsers read differently, by kind. A section is of RFC 9112 unless it names another."""

# Kind: a list of names and bytes.
CASES = {
    'request line: blanks (3)': [
        ('two blanks', b'GET  /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('two blanks before the version', b'GET /a  HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('tab', b'GET\t/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('tab before the version', b'GET /a\tHTTP/1.1\r\nHost: a\r\n\r\n'),
        ('vertical tab', b'GET\x0b/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('form feed', b'GET /a\x0cHTTP/1.1\r\nHost: a\r\n\r\n'),
        ('blank at the end', b'GET /a HTTP/1.1 \r\nHost: a\r\n\r\n'),
        ('tab at the end', b'GET /a HTTP/1.1\t\r\nHost: a\r\n\r\n'),
        ('blank in front', b' GET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('a third word', b'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'),
    ],
    'method (9110, 9.1)': [
        ('lower case', b'get /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('mixed', b'Get /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('unknown', b'FOO /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('with digit', b'G3T /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('with comma', b'GE,T /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('with brace', b'{GET} /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('with colon', b'GE:T /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('with slash', b'GE/T /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('8-bit', b'G\xe9T /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('NUL', b'GE\x00T /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('empty', b' /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('token characters', b"!#$%&'*+-.^_`|~ /a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ],
    'version (2.3)': [
        ("'HTTP/1.2'", b'GET /a HTTP/1.2\r\nHost: a\r\n\r\n'),
        ("'HTTP/1.10'", b'GET /a HTTP/1.10\r\nHost: a\r\n\r\n'),
        ("'HTTP/1.01'", b'GET /a HTTP/1.01\r\nHost: a\r\n\r\n'),
        ("'HTTP/01.1'", b'GET /a HTTP/01.1\r\nHost: a\r\n\r\n'),
        ("'HTTP/2.0'", b'GET /a HTTP/2.0\r\nHost: a\r\n\r\n'),
        ("'HTTP/0.9'", b'GET /a HTTP/0.9\r\nHost: a\r\n\r\n'),
        ("'HTTP/3'", b'GET /a HTTP/3\r\nHost: a\r\n\r\n'),
        ("'HTTP/1'", b'GET /a HTTP/1\r\nHost: a\r\n\r\n'),
        ("'HTTP/1.'", b'GET /a HTTP/1.\r\nHost: a\r\n\r\n'),
        ("'HTTP/.1'", b'GET /a HTTP/.1\r\nHost: a\r\n\r\n'),
        ("'HTTP/+1.1'", b'GET /a HTTP/+1.1\r\nHost: a\r\n\r\n'),
        ("'http/1.1'", b'GET /a http/1.1\r\nHost: a\r\n\r\n'),
        ("'Http/1.1'", b'GET /a Http/1.1\r\nHost: a\r\n\r\n'),
        ("'HTTP /1.1'", b'GET /a HTTP /1.1\r\nHost: a\r\n\r\n'),
        ("'HTTPS/1.1'", b'GET /a HTTPS/1.1\r\nHost: a\r\n\r\n'),
        ("'HTTP/1.1x'", b'GET /a HTTP/1.1x\r\nHost: a\r\n\r\n'),
        ("'HTTP/1,1'", b'GET /a HTTP/1,1\r\nHost: a\r\n\r\n'),
        ("'ICY/1.1'", b'GET /a ICY/1.1\r\nHost: a\r\n\r\n'),
        ("'HTTP/1.1\\x00'", b'GET /a HTTP/1.1\x00\r\nHost: a\r\n\r\n'),
        ('none, fields follow', b'GET /a\r\nHost: a\r\n\r\n'),
        ('none, HTTP/0.9', b'GET /a\r\n'),
    ],
    'target (3.2)': [
        ('empty', b'GET  HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('no slash', b'GET a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('star', b'GET * HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('fragment', b'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('8-bit', b'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('NUL', b'GET /a\x00b HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('DEL', b'GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('control 1', b'GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('escape', b'GET /a\x1b HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('bad percent', b'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('half percent', b'GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('percent NUL', b'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('percent LF', b'GET /%0a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('percent CR LF', b'GET /a%0d%0aX:%20b HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('backslash', b'GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('quote', b'GET /a"b HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('less than', b'GET /<a> HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('brace', b'GET /{a} HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('pipe', b'GET /a|b HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('caret', b'GET /^ HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('backquote', b'GET /` HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('brackets', b'GET /[a] HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('two slashes', b'GET //a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('dots', b'GET /../a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('encoded dots', b'GET /%2e%2e/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('encoded slash', b'GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('dots above the root', b'GET /../../a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, same host', b'GET http://a/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, other host', b'GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, no path', b'GET http://a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, query without path', b'GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute with user', b'GET http://u@a/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, upper case', b'GET HTTP://a/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute https', b'GET https://a/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute ftp', b'GET ftp://a/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, empty host', b'GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, port', b'GET http://a:80/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, bad port', b'GET http://a:x/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, port 0', b'GET http://a:0/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('absolute, port too big', b'GET http://a:99999/a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('authority', b'GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('a scheme only', b'GET http: HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('file', b'GET file:///a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('question', b'GET ?a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('query with 8-bit', b'GET /a?\xe9 HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('OPTIONS *', b'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('CONNECT a:80', b'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n'),
        ('CONNECT /a', b'CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('CONNECT *', b'CONNECT * HTTP/1.1\r\nHost: a\r\n\r\n'),
    ],
    'line ends (2.2)': [
        ('LF everywhere', b'GET /a HTTP/1.1\nHost: a\n\n'),
        ('CR everywhere', b'GET /a HTTP/1.1\rHost: a\r\r'),
        ('CR CR LF', b'GET /a HTTP/1.1\r\r\nHost: a\r\r\n\r\r\n'),
        ('LF CR', b'GET /a HTTP/1.1\n\rHost: a\n\r\n\r'),
        ('LF behind the request line', b'GET /a HTTP/1.1\nHost: a\r\n\r\n'),
        ('LF behind a field', b'GET /a HTTP/1.1\r\nHost: a\nX: b\r\n\r\n'),
        ('LF as the empty line', b'GET /a HTTP/1.1\r\nHost: a\r\n\n'),
        ('CR in a value', b'GET /a HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n'),
        ('CR in the request line', b'GET /a\r HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('1 empty lines in front', b'\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('2 empty lines in front', b'\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('3 empty lines in front', b'\r\n\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('9 empty lines in front',
         b'\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('LF in front', b'\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('CR in front', b'\rGET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('NUL in front', b'\x00GET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('byte order mark', b'\xef\xbb\xbfGET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
    ],
    'field lines (5)': [
        ('blank before the colon', b'GET /a HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n'),
        ('tab before the colon', b'GET /a HTTP/1.1\r\nHost: a\r\nX\t: b\r\n\r\n'),
        ('no colon', b'GET /a HTTP/1.1\r\nHost: a\r\nX b\r\n\r\n'),
        ('no name', b'GET /a HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n'),
        ('name only', b'GET /a HTTP/1.1\r\nHost: a\r\nX\r\n\r\n'),
        ('blank in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n'),
        ('8-bit name', b'GET /a HTTP/1.1\r\nHost: a\r\nX\xe9: b\r\n\r\n'),
        ('NUL in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX\x00: b\r\n\r\n'),
        ('control in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX\x01: b\r\n\r\n'),
        ('DEL in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX\x7f: b\r\n\r\n'),
        ('vertical tab before the value', b'GET /a HTTP/1.1\r\nHost: a\r\nX:\x0bb\r\n\r\n'),
        ('NUL in the value', b'GET /a HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n'),
        ('control in the value', b'GET /a HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n'),
        ('escape in the value', b'GET /a HTTP/1.1\r\nHost: a\r\nX: a\x1bb\r\n\r\n'),
        ('DEL in the value', b'GET /a HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n'),
        ('8-bit value', b'GET /a HTTP/1.1\r\nHost: a\r\nX: \xe9\r\n\r\n'),
        ('tab in the value', b'GET /a HTTP/1.1\r\nHost: a\r\nX: a\tb\r\n\r\n'),
        ('no blank', b'GET /a HTTP/1.1\r\nHost: a\r\nX:b\r\n\r\n'),
        ('much blank',
         b'GET /a HTTP/1.1\r\nHost: a\r\n'
         b'X:                                                  b\r\n\r\n'),
        ('blank at the end', b'GET /a HTTP/1.1\r\nHost: a\r\nX: b   \r\n\r\n'),
        ('tab at the end', b'GET /a HTTP/1.1\r\nHost: a\r\nX: b\t\r\n\r\n'),
        ('empty value', b'GET /a HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n'),
        ('only blanks', b'GET /a HTTP/1.1\r\nHost: a\r\nX:   \r\n\r\n'),
        ('colon in the value', b'GET /a HTTP/1.1\r\nHost: a\r\nX: a:b\r\n\r\n'),
        ('( in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX(Y: b\r\n\r\n'),
        (') in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX)Y: b\r\n\r\n'),
        ('< in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX<Y: b\r\n\r\n'),
        ('> in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX>Y: b\r\n\r\n'),
        ('@ in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX@Y: b\r\n\r\n'),
        (', in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX,Y: b\r\n\r\n'),
        ('; in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX;Y: b\r\n\r\n'),
        ('\\ in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX\\Y: b\r\n\r\n'),
        ('" in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX"Y: b\r\n\r\n'),
        ('/ in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX/Y: b\r\n\r\n'),
        ('[ in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX[Y: b\r\n\r\n'),
        ('] in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX]Y: b\r\n\r\n'),
        ('? in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX?Y: b\r\n\r\n'),
        ('= in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX=Y: b\r\n\r\n'),
        ('{ in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX{Y: b\r\n\r\n'),
        ('} in the name', b'GET /a HTTP/1.1\r\nHost: a\r\nX}Y: b\r\n\r\n'),
        ('blank line with blanks', b'GET /a HTTP/1.1\r\nHost: a\r\n \r\n\r\n'),
    ],
    'folding (5.2)': [
        ('a fold', b'GET /a HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n'),
        ('a fold by tab', b'GET /a HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n'),
        ('an empty fold', b'GET /a HTTP/1.1\r\nHost: a\r\nX: b\r\n \r\nY: c\r\n\r\n'),
        ('the first field is folded', b'GET /a HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n'),
        ('a folded Host', b'GET /a HTTP/1.1\r\nHost:\r\n a\r\n\r\n'),
        ('a folded Content-Length',
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 5\r\n\r\nhello'),
        ('a folded Transfer-Encoding',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n'),
        ('a fold that hides Transfer-Encoding',
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: b\r\n'
         b' Transfer-Encoding: chunked\r\n\r\nhello'),
    ],
    'Host (3.2, 9110 7.2)': [
        ('none', b'GET /a HTTP/1.1\r\n\r\n'),
        ('two alike', b'GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'),
        ('two', b'GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'),
        ('empty', b'GET /a HTTP/1.1\r\nHost:\r\n\r\n'),
        ('a list', b'GET /a HTTP/1.1\r\nHost: a, b\r\n\r\n'),
        ('with user', b'GET /a HTTP/1.1\r\nHost: u@a\r\n\r\n'),
        ('with path', b'GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n'),
        ('with blank', b'GET /a HTTP/1.1\r\nHost: a b\r\n\r\n'),
        ('bad port', b'GET /a HTTP/1.1\r\nHost: a:x\r\n\r\n'),
        ('no port', b'GET /a HTTP/1.1\r\nHost: a:\r\n\r\n'),
        ('port too big', b'GET /a HTTP/1.1\r\nHost: a:99999\r\n\r\n'),
        ('IPv6', b'GET /a HTTP/1.1\r\nHost: [::1]\r\n\r\n'),
        ('open bracket', b'GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n'),
        ('IPv6 without brackets', b'GET /a HTTP/1.1\r\nHost: ::1\r\n\r\n'),
        ('8-bit', b'GET /a HTTP/1.1\r\nHost: \xe9\r\n\r\n'),
        ('percent', b'GET /a HTTP/1.1\r\nHost: a%20b\r\n\r\n'),
        ('underscore', b'GET /a HTTP/1.1\r\nHost: a_b\r\n\r\n'),
        ('upper case', b'GET /a HTTP/1.1\r\nHOST: A\r\n\r\n'),
        ('dot at the end', b'GET /a HTTP/1.1\r\nHost: a.\r\n\r\n'),
        ('query', b'GET /a HTTP/1.1\r\nHost: a?b\r\n\r\n'),
        ('fragment', b'GET /a HTTP/1.1\r\nHost: a#b\r\n\r\n'),
        ('two colons', b'GET /a HTTP/1.1\r\nHost: a:80:80\r\n\r\n'),
        ('lower case name', b'GET /a HTTP/1.1\r\nhost: a\r\n\r\n'),
        ('a scheme', b'GET /a HTTP/1.1\r\nHost: http://a\r\n\r\n'),
        ('backslash', b'GET /a HTTP/1.1\r\nHost: a\\b\r\n\r\n'),
        ('quote', b'GET /a HTTP/1.1\r\nHost: "a"\r\n\r\n'),
        ('none in 1.0', b'GET /a HTTP/1.0\r\n\r\n'),
        ('two in 1.0', b'GET /a HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n'),
    ],
    'Content-Length (6.2, 6.3)': [
        ("'5'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'),
        ("'+5'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello'),
        ("'-5'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello'),
        ("'05'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 05\r\n\r\nhello'),
        ("'0000000005'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0000000005\r\n\r\nhello'),
        ("'5 '", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5 \r\n\r\nhello'),
        ("'5\\t'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\t\r\n\r\nhello'),
        ("'5_0'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5_0\r\n\r\nhello'),
        ("'0x5'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello'),
        ("'5 5'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\nhello'),
        ("'5,5'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5,5\r\n\r\nhello'),
        ("'5, 5'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello'),
        ("'5 ,5'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5 ,5\r\n\r\nhello'),
        ("'5,6'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5,6\r\n\r\nhello'),
        ("'5,'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5,\r\n\r\nhello'),
        ("',5'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ,5\r\n\r\nhello'),
        ("'5;a'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5;a\r\n\r\nhello'),
        ("'5.0'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\nhello'),
        ("'5e0'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5e0\r\n\r\nhello'),
        ("''", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\nhello'),
        ("' '", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length:  \r\n\r\nhello'),
        ('\'"5"\'', b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: "5"\r\n\r\nhello'),
        ("'five'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: five\r\n\r\nhello'),
        ("'5\\x0b'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\x0b\r\n\r\nhello'),
        ("'5\\x00'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\x00\r\n\r\nhello'),
        ("'99999999999999999999999'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n'
         b'hello'),
        ("'18446744073709551621'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello'),
        ("'9223372036854775808'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\nhello'),
        ("'-0'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -0\r\n\r\nhello'),
        ("'²'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \xb2\r\n\r\nhello'),
        ("'5\\r'", b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\r\n\r\nhello'),
        ('two alike',
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'),
        ('two that differ',
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'),
        ('5 and 05',
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 05\r\n\r\n'
         b'hello'),
        ('5 and empty',
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length:\r\n\r\nhello'),
        ('blank before the colon',
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello'),
        ('underscore name', b'POST /a HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n'),
        ('a GET with a body', b'GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'),
        ('a HEAD with a body', b'HEAD /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'),
        ('a POST without one', b'POST /a HTTP/1.1\r\nHost: a\r\n\r\n'),
        ('1.0 POST without one', b'POST /a HTTP/1.0\r\nHost: a\r\n\r\n'),
    ],
    'Transfer-Encoding (6.1, 6.3)': [
        ("'chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'Chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'CHUNKED'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'chunked '",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked \r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'\\x0bchunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'\\x0cchunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0cchunked\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chunked\\x0b'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\x0b\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chunked, chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chunked,chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,chunked\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'gzip, chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chunked, gzip'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'identity'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'identity, chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chunked, identity'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'gzip'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n5\r\nhello\r\n0\r\n'
         b'\r\n'),
        ("'xchunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'chunkedx'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunkedx\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'chunk'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunk\r\n\r\n5\r\nhello\r\n0\r\n'
         b'\r\n'),
        ("'chunked;a'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;a\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'chunked;q=0.5'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=0.5\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chunked; a=b'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked; a=b\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ('\'"chunked"\'',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "chunked"\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('"\'chunked\'"',
         b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: 'chunked'\r\n\r\n5\r\nhello\r\n"
         b'0\r\n\r\n'),
        ("'chunked,'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("',chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("', chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'chunked, ,'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, ,\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("','",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ("''",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ("' '",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:  \r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ("'chunked chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked chunked\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chunked\\x00'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\x00\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'\\xa0chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \xa0chunked\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chunked\\x01'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\x01\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chun\\tked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chun\tked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'x, chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x, chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ("'trailers, chunked'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: trailers, chunked\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ("'chunked\\r'",
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('two fields',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n'
         b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('chunked, then identity',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n'
         b'Transfer-Encoding: identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('identity, then chunked',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n'
         b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('gzip, then chunked',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n'
         b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('and Content-Length',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n'
         b'\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('behind Content-Length',
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n'
         b'\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('and Content-Length 0',
         b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n'
         b'\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('unknown and Content-Length',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\nContent-Length: 15\r\n\r\n'
         b'5\r\nhello\r\n0\r\n\r\n'),
        ('identity and Content-Length',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n'
         b'Content-Length: 15\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('blank before the colon',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('underscore name',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n'
         b'Content-Length: 15\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('no blank',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('tab',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('NUL in the name',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\x00: chunked\r\n'
         b'Content-Length: 15\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('leading tab',
         b'POST /a HTTP/1.1\r\nHost: a\r\n\tTransfer-Encoding: chunked\r\n'
         b'Content-Length: 15\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('TE: chunked',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTE: chunked\r\nContent-Length: 15\r\n\r\n5\r\n'
         b'hello\r\n0\r\n\r\n'),
        ('Connection: Transfer-Encoding',
         b'POST /a HTTP/1.1\r\nHost: a\r\nConnection: Transfer-Encoding\r\n'
         b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('in 1.0',
         b'POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('in 1.0 with keep-alive',
         b'POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n'
         b'Connection: keep-alive\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('in 1.0 and Content-Length',
         b'POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n'
         b'Content-Length: 15\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
        ('a GET',
         b'GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\r\n'),
    ],
    'chunks (7.1)': [
        ('blank behind the size',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n'
         b'0\r\n\r\n'),
        ('tab behind the size',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\t\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('blank before the size',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('0x',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('plus',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('minus',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('underscore',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0_5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('zeros in front',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0000005\r\n'
         b'hello\r\n0\r\n\r\n'),
        ('many zeros in front',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
         b'00000000000000000000000000000000000000005\r\nhello\r\n0\r\n\r\n'),
        ('empty size',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('not hexadecimal',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\ng\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('upper case',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n'
         b'hellohello\r\n0\r\n\r\n'),
        ('2^64 + 5',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
         b'10000000000000005\r\nhello\r\n0\r\n\r\n'),
        ('2^32 + 5',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000005\r\n'
         b'hello\r\n0\r\n\r\n'),
        ('extension',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('extension with value',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n'
         b'hello\r\n0\r\n\r\n'),
        ('quoted extension',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a="b"\r\n'
         b'hello\r\n0\r\n\r\n'),
        ('quoted CR LF',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a="\r\n'
         b'hello\r\n0\r\n\r\n'),
        ('blank before the extension',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 ;a\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('empty extension',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('extension with LF',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n'
         b'0\r\n\r\n'),
        ('extension with CR',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\rb\r\n'
         b'hello\r\n0\r\n\r\n'),
        ('extension with NUL',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;\x00\r\n'
         b'hello\r\n0\r\n\r\n'),
        ('extension without semicolon',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 a\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('comma',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5,5\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('LF behind the size',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n'
         b'\r\n'),
        ('CR behind the size',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\rhello\r\n0\r\n'
         b'\r\n'),
        ('LF behind the data',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n'
         b'\r\n'),
        ('CR behind the data',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r0\r\n'
         b'\r\n'),
        ('nothing behind the data',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n'
         b'\r\n'),
        ('two bytes too many',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloxx\r\n'
         b'0\r\n\r\n'),
        ('a size too small',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n'
         b'0\r\n\r\n'),
        ('LF at the end',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\n\n'),
        ('LF behind the last size',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\n\r\n'),
        ('last chunk 00',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'00\r\n\r\n'),
        ('last chunk with extension',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0;a\r\n\r\n'),
        ('last chunk with blank',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0 \r\n\r\n'),
        ('trailer',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nX: a\r\n\r\n'),
        ('trailer Content-Length',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nContent-Length: 9\r\n\r\n'),
        ('trailer Transfer-Encoding',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nTransfer-Encoding: chunked\r\n\r\n'),
        ('trailer Host',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nHost: b\r\n\r\n'),
        ('trailer without colon',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nX\r\n\r\n'),
        ('trailer with blank before the colon',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nX : a\r\n\r\n'),
        ('folded trailer',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nX: a\r\n b\r\n\r\n'),
        ('trailer with LF',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nX: a\n\r\n'),
        ('trailer with NUL',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nX: \x00\r\n\r\n'),
        ('a request as trailer',
         b'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
         b'0\r\nGET /b HTTP/1.1\r\n\r\n'),
    ],
    'connection (9.3, 9.6)': [
        ('Connection: close', b'GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
        ('Connection: CLOSE', b'GET /a HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n'),
        ('close in a list', b'GET /a HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n'),
        ('keep-alive, close',
         b'GET /a HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n'),
        ('two fields',
         b'GET /a HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n'),
        ('closed', b'GET /a HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n'),
        ('Connection: Host', b'GET /a HTTP/1.1\r\nHost: a\r\nConnection: Host\r\n\r\n'),
        ('Upgrade: h2c',
         b'GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n'
         b'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n'),
        ('Upgrade: websocket',
         b'GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
        ('Upgrade without Connection', b'GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n'),
        ('Proxy-Connection: close',
         b'GET /a HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n'),
        ('1.0 with keep-alive', b'GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n'),
        ('1.0', b'GET /a HTTP/1.0\r\nHost: a\r\n\r\n'),
    ],
    'Expect (9110, 10.1.1)': [
        ('100-continue',
         b'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n'
         b'hello'),
        ('upper case',
         b'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-CONTINUE\r\nContent-Length: 5\r\n\r\n'
         b'hello'),
        ('other', b'POST /a HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 5\r\n\r\nhello'),
        ('a list',
         b'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x\r\nContent-Length: 5\r\n'
         b'\r\nhello'),
        ('two fields',
         b'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n'
         b'Content-Length: 5\r\n\r\nhello'),
    ],
    'other protocols': [
        ('TLS', b'\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'),
        ('HTTP/2 preface', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        ('SSH', b'SSH-2.0-x\r\n'),
        ('SMTP', b'EHLO a\r\n'),
        ('PROXY v1', b'PROXY TCP4 1.2.3.4 1.2.3.4 1 80\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n'),
    ],
}
