#!/usr/bin/python3
"""An HTTP server for transfers on this machine: as little work as can be, so that clients are seen.

    server.py FOLDER

Prints its port. GET gives a file of FOLDER, PUT to /drop/... throws the body away, PUT to any other path
keeps it in FOLDER.
"""

import http.server
import os
import socket
import sys

BUFFER_BYTES = 1 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = ""

    def log_message(self, format, *args):
        """Nobody reads it."""

    def path_of(self):
        return os.path.join(self.folder, os.path.basename(self.path))

    def do_GET(self):
        with open(self.path_of(), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.flush()
            offset = 0
            while offset < size:
                offset += os.sendfile(self.connection.fileno(), file.fileno(), offset, size - offset)

    def do_PUT(self):
        left = int(self.headers["Content-Length"])
        kept = None if self.path.startswith("/drop/") else open(self.path_of(), "wb")
        buffer = memoryview(bytearray(BUFFER_BYTES))
        while left > 0:
            count = self.rfile.readinto1(buffer[:min(left, BUFFER_BYTES)])
            if count == 0:
                return
            if kept:
                kept.write(buffer[:count])
            left -= count
        if kept:
            kept.close()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main():
    Handler.folder = sys.argv[1]
    Handler.rbufsize = BUFFER_BYTES
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * BUFFER_BYTES)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
