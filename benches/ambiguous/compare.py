#!/usr/bin/env python3
"""Sends ambiguous requests to seda, nginx, haproxy and h11, and prints each difference.

    cargo build --release -p seda-http --example hello
    python3 benches/ambiguous/compare.py target/release/examples/hello [--markdown]

Each request goes out on a connection of its own with a second request behind it, which shows where a
server saw the first one end. nginx and haproxy are looked up in PATH, h11 is a package of Python; a
missing one is named and left out. Ports 8080 and 18101 to 18103 of 127.0.0.1 have to be free.

Exit code 1: seda answers a request that all others refuse, or finds an end that no other finds. The
only exception are empty elements of Transfer-Encoding, which RFC 9110, 5.6.1.2 tells a recipient to
ignore.
"""
import argparse
import concurrent.futures
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from cases import CASES

SECOND = b"GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
# A server that waits for more of a request says nothing for this time, in seconds.
SILENCE = 2.5
AT_ONCE = 24
H11 = 18103
PORTS = {"seda": 8080, "nginx": 18101, "haproxy": 18102, "h11": H11}
# Empty list elements, which seda ignores as it must and all others refuse.
ALLOWED = {"'chunked,'", "',chunked'", "', chunked'", "'chunked, ,'"}

NGINX_CONFIG = """
worker_processes 1; daemon off; error_log stderr crit; pid {directory}/nginx.pid;
events {{ worker_connections 512; }}
http {{ access_log off; client_body_temp_path {directory}/body;
  server {{ listen 127.0.0.1:18101; location / {{ return 200 "ok"; }} }} }}
"""
# haproxy passes on to h11: its own parser decides, and what it sends must be right for another one.
HAPROXY_CONFIG = """
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
frontend front
  bind 127.0.0.1:18102
  default_backend back
backend back
  server only 127.0.0.1:18103
"""


def serve_h11():
    """Answers each request on each connection, one thread per connection."""
    import h11

    listener = socket.create_server(("127.0.0.1", H11), backlog=256)
    while True:
        arguments = (h11, listener.accept()[0])
        threading.Thread(target=serve_one, args=arguments, daemon=True).start()


def serve_one(h11, connected):
    connection = h11.Connection(h11.SERVER)
    try:
        while answer_next(h11, connection, connected):
            pass
        connected.shutdown(socket.SHUT_WR)
        connected.settimeout(0.3)
        connected.recv(65536)
    except h11.RemoteProtocolError as error:
        connected.sendall(
            b"HTTP/1.1 %d Bad\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            % error.error_status_hint
        )
    except (OSError, h11.LocalProtocolError):
        pass
    finally:
        connected.close()


def answer_next(h11, connection, connected):
    """Handles one event; returns False at the end of the connection."""
    event = connection.next_event()
    if event is h11.NEED_DATA:
        if connection.they_are_waiting_for_100_continue:
            interim = h11.InformationalResponse(status_code=100, headers=[])
            connected.sendall(connection.send(interim))
        connection.receive_data(connected.recv(65536))
        return True
    if isinstance(event, h11.EndOfMessage):
        head = h11.Response(status_code=200, headers=[("Content-Length", "2")])
        parts = [head, h11.Data(data=b"ok"), h11.EndOfMessage()]
        connected.sendall(b"".join(connection.send(part) for part in parts))
        if h11.MUST_CLOSE in (connection.our_state, connection.their_state):
            return False
        connection.start_next_cycle()
        return True
    return event is not h11.PAUSED and not isinstance(event, h11.ConnectionClosed)


def ask(port, request):
    """Returns what a server makes of the request, and the statuses that it sends."""
    received = b""
    waits = ""
    with socket.create_connection(("127.0.0.1", port)) as connected:
        connected.settimeout(SILENCE)
        try:
            connected.sendall(request + SECOND)
            while part := connected.recv(65536):
                received += part
        except TimeoutError:
            waits = " and waits"
        except OSError:
            pass
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", received)]
    final = [status for status in statuses if status >= 200 or status == 101]
    if not final:
        return ("waits" if waits else "refuses"), final
    if final[0] >= 400:
        return "refuses", final
    answered = sum(status < 400 for status in final)
    return f"answers {answered}{waits}", final


def start(name, command, servers):
    if shutil.which(command[0]) is None:
        print(f"{name} is left out: {command[0]} is not in PATH", file=sys.stderr)
        return
    servers[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def start_servers(hello, directory):
    (directory / "nginx.conf").write_text(NGINX_CONFIG.format(directory=directory))
    (directory / "haproxy.cfg").write_text(HAPROXY_CONFIG)
    servers = {}
    start("seda", [hello], servers)
    start("nginx", ["nginx", "-p", str(directory), "-c", "nginx.conf"], servers)
    try:
        import h11  # noqa: F401

        start("h11", [sys.executable, __file__, "--serve-h11"], servers)
        start("haproxy", ["haproxy", "-f", str(directory / "haproxy.cfg")], servers)
    except ImportError:
        print("h11 and haproxy are left out: `pip install h11`", file=sys.stderr)
    return servers


def accepts(port):
    """Returns True if the port takes a connection within 20 seconds."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False


def is_wrong(name, outcomes):
    """Returns True if no other server agrees with an answer of seda."""
    others = {outcome for server, (outcome, _) in outcomes.items() if server != "seda"}
    outcome = outcomes["seda"][0]
    return outcome != "refuses" and outcome not in others and name not in ALLOWED


def compare(ports, markdown):
    """Prints the differences; returns how many are wrong."""
    requests = [(kind, *request) for kind, listed in CASES.items() for request in listed]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [
            (kind, name, {server: pool.submit(ask, port, data) for server, port in ports.items()})
            for kind, name, data in requests
        ]
        seen = [
            (kind, name, {server: result.result() for server, result in results.items()})
            for kind, name, results in asked
        ]
    differing = [case for case in seen if len({outcome for outcome, _ in case[2].values()}) > 1]
    wrong = [case for case in differing if is_wrong(case[1], case[2])]
    (print_table if markdown else print_lines)(differing, list(ports))
    alike = len(seen) - len(differing)
    print(f"\n{len(seen)} requests: {alike} alike, {len(differing)} differ, {len(wrong)} wrong")
    return len(wrong)


def print_lines(differing, servers):
    for kind, name, outcomes in differing:
        told = "; ".join(f"{server} {describe(*outcomes[server])}" for server in servers)
        print(f"{'WRONG ' if is_wrong(name, outcomes) else ''}{kind}: {name}: {told}")


def print_table(differing, servers):
    """Prints a row for all requests of a kind that the servers treat in the same way."""
    print(f"| section | requests | {' | '.join(servers)} |\n| --- | --- |{' --- |' * len(servers)}")
    rows = {}
    for kind, name, outcomes in differing:
        cells = tuple(describe(*outcomes[server]) for server in servers)
        rows.setdefault((kind, cells), []).append(name.replace("|", "\\|"))
    for (kind, cells), names in rows.items():
        print(f"| {kind} | {'; '.join(names)} | {' | '.join(cells)} |")


def describe(outcome, final):
    if outcome == "refuses" and final:
        return str(final[0])
    return {"answers 2": "both", "answers 1": "one"}.get(outcome, outcome)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hello", nargs="?", help="the example `hello` of seda-http")
    parser.add_argument("--markdown", action="store_true", help="print a table")
    parser.add_argument("--serve-h11", action="store_true", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.serve_h11:
        serve_h11()
    if flags.hello is None or not pathlib.Path(flags.hello).is_file():
        parser.error("name the program: cargo build --release -p seda-http --example hello")
    with tempfile.TemporaryDirectory() as directory:
        servers = start_servers(flags.hello, pathlib.Path(directory))
        try:
            ports = {name: PORTS[name] for name in PORTS if name in servers}
            for name, port in ports.items():
                if not accepts(port) or servers[name].poll() is not None:
                    sys.exit(f"{name} does not run: is port {port} free?")
            sys.exit(1 if compare(ports, flags.markdown) else 0)
        finally:
            for server in servers.values():
                server.terminate()
                server.wait()


if __name__ == "__main__":
    main()
