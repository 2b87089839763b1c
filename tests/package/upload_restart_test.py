"""Uploads over a line that is cut, by a program that is killed: whole, and hardly a byte twice.

Between the client and the local service stands a proxy that counts what the client sends, and cuts
where the test says. SLUICE_UPLOAD_MB sets the size (CI: 48; the goal is stated for 300).
"""

import os
import pathlib
import random
import hashlib
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import threading

import harness

PROGRAM = pathlib.Path(os.environ["SLUICE_EXAMPLES"]) / "example_upload_file"
SIZE = int(os.environ.get("SLUICE_UPLOAD_MB", "48")) << 20
CHUNK = 8 << 20  # what the service stores at once, and may lose at a cut
CUTS = 10


class CuttingProxy:
    """Passes bytes on. `client_bytes` counts those that it took from clients; at each of `cuts`
    (counts, ascending) it calls `on_cut` and resets the connection that brought the byte."""

    def __init__(self, target_port, cuts, on_cut=lambda: None):
        self.target_port, self.cuts, self.on_cut = target_port, list(cuts), on_cut
        self.client_bytes, self.cut_count = 0, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.target_port))
        try:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    if ready is server:
                        client.sendall(data)
                        continue
                    server.sendall(data)
                    if self.count(len(data)):
                        # Reset, not closed: what is under way is lost.
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    def count(self, size):
        with self.lock:
            self.client_bytes += size
            if not self.cuts or self.client_bytes < self.cuts[0]:
                return False
            self.cuts.pop(0)
            self.cut_count += 1
            self.on_cut()
            return True

    def stop(self):
        self.listener.close()


class UploadRestart(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.seed = random.randrange(1 << 32)
        self.random = random.Random(self.seed)
        self.content = b"".join(self.random.randbytes(1 << 20) for _ in range(SIZE >> 20))
        (self.folder / "input.bin").write_bytes(self.content)
        self.state_file = self.folder / "upload.state"
        self.service = harness.LocalService(self)

    def proxy(self, on_cut=lambda: None):
        cuts = sorted(self.random.randrange(SIZE // 100, SIZE) for _ in range(CUTS))
        proxy = CuttingProxy(int(self.service.base_url.rsplit(":", 1)[1]), cuts, on_cut)
        self.addCleanup(proxy.stop)
        return proxy

    def start(self, proxy):
        return subprocess.Popen(
            [PROGRAM, "input.bin", self.state_file],
            cwd=self.folder,
            env=harness.environment(GOOGLE_GEMINI_BASE_URL=f"http://127.0.0.1:{proxy.port}",
                                    GEMINI_API_KEY=harness.KEY),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def judge(self, process, proxy, losses):
        out, err = process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 0, f"seed {self.seed}: {err}")
        self.assertRegex(out, r"^files/\w+ [0-9a-f]{64}\n$")
        self.assertIn(hashlib.sha256(self.content).hexdigest(), out)
        stored = [path for path in self.service.state.rglob("*") if path.is_file()
                  and path.stat().st_size == SIZE]
        self.assertEqual(len(stored), 1)
        self.assertEqual(stored[0].read_bytes(), self.content)
        self.assertLessEqual(proxy.client_bytes, SIZE * 1.05 + CHUNK * losses, f"seed {self.seed}")
        self.assertFalse(self.state_file.exists())
        self.assertEqual(err, "")

    def test_cut_ten_times(self):
        proxy = self.proxy()
        process = self.start(proxy)
        self.judge(process, proxy, CUTS)
        self.assertEqual(proxy.cut_count, CUTS, f"seed {self.seed}")

    def test_killed_at_every_cut_and_started_again(self):
        running = []

        def kill():
            running[-1].send_signal(signal.SIGKILL)

        proxy = self.proxy(kill)
        for _ in range(CUTS + 1):
            # The proxy's threads kill only what has sent something, and so is in the list.
            running.append(self.start(proxy))
            out, err = running[-1].communicate(timeout=harness.PATIENCE_S)
            if running[-1].returncode != -signal.SIGKILL:
                break
            self.assertEqual((out, err), ("", ""))
            mode = stat.S_IMODE(self.state_file.stat().st_mode)
            self.assertEqual(mode, 0o600)
            self.assertTrue(re.search("upload_id=", self.state_file.read_text(encoding="utf-8")))
        self.assertEqual(running[-1].returncode, 0, f"seed {self.seed}: {err}")
        self.assertGreaterEqual(len(running), CUTS // 2, f"seed {self.seed}")
        self.assertIn(hashlib.sha256(self.content).hexdigest(), out)
        self.assertLessEqual(proxy.client_bytes, SIZE * 1.05 + CHUNK * proxy.cut_count, f"seed {self.seed}")
        self.assertFalse(self.state_file.exists())


if __name__ == "__main__":
    harness.main()
