"""The examples as programs, and every Python block of docs/python.md and README.md."""

import re
import signal
import subprocess
import sys
import unittest

import libws

from .support import PYTHON, ROOT, Heard, finish, run_child, spawn

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = PYTHON / "examples"


def example(name, *arguments, **options):
    """An example as a child; libws is importable there."""
    code = f"import runpy, sys; sys.argv[0] = {str(EXAMPLES / name)!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
    return spawn(code, *arguments, **options)


class Examples(unittest.TestCase):
    def served(self, name):
        child = example(name, "ws://127.0.0.1:0")
        line = child.stdout.readline()
        self.assertTrue(line.startswith("listening on "), line)
        return child, line.split()[-1]

    def interrupted(self, child):
        child.send_signal(signal.SIGINT)
        self.assertEqual(finish(child), (0, ""))

    def test_echo_server_and_client(self):
        server, url = self.served("echo_server.py")
        client = example("echo_client.py", url, stdin=subprocess.PIPE)
        output, _ = client.communicate("one\nzwö\n", timeout=60)
        self.assertEqual((client.returncode, output), (0, "one\nzwö\n"))
        self.interrupted(server)

    def test_echo_client_without_a_server(self):
        client = example("echo_client.py", "ws://127.0.0.1:1", stdin=subprocess.DEVNULL)
        status, output = finish(client)
        self.assertEqual(status, 0)
        self.assertIn("closed: 1006", output)

    def test_chat(self):
        server, url = self.served("chat.py")
        with libws.Loop() as loop:
            loop.start()
            nobody = Heard()
            loop.connect(url, **nobody.handlers("close"))
            self.assertIn("400", nobody.next("close")[1].detail)
            ann, bob = Heard(), Heard()
            loop.connect(url + "/?name=Ann", **ann.handlers("message"))
            self.assertEqual(ann.next("message")[1], "* Ann is here")
            conn = loop.connect(url + "/?name=Bob", **bob.handlers("message"))
            self.assertEqual(ann.next("message")[1], "* Bob is here")
            self.assertEqual(bob.next("message")[1], "* Bob is here")
            conn.send("hello")
            self.assertEqual(ann.next("message")[1], "Bob: hello")
            conn.close()
            self.assertEqual(ann.next("message")[1], "* Bob has left")
        self.interrupted(server)


class Blocks(unittest.TestCase):
    """A block that serves for ever gets Ctrl-C as soon as it listens; all others must end by themselves."""

    def check(self, page):
        blocks = BLOCK.findall(page.read_text())
        self.assertTrue(blocks)
        for number, block in enumerate(blocks, 1):
            with self.subTest(page=page.name, block=number):
                if "# until Ctrl-C" not in block:
                    self.assertEqual(run_child(block)[0], 0, run_child(block)[1])
                    continue
                child = spawn(block.replace("ws://127.0.0.1:9001", "ws://127.0.0.1:0"))
                self.assertIn("listening", child.stdout.readline())
                child.send_signal(signal.SIGINT)
                status, output = finish(child)
                self.assertIn(status, (0, 1, 130, -signal.SIGINT))
                self.assertIn("KeyboardInterrupt", output)

    def test_docs(self):
        self.check(ROOT / "docs" / "python.md")

    def test_readme(self):
        self.check(PYTHON / "README.md")


class Types(unittest.TestCase):
    def test_mypy_strict(self):
        try:
            import mypy  # noqa: F401
        except ImportError:
            self.skipTest("mypy is not installed: pip install -r tests/python/requirements.txt")
        command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "libws"]
        done = subprocess.run(command, cwd=PYTHON, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_public_item_has_a_docstring(self):
        import inspect

        for name in libws.__all__:
            item = getattr(libws, name)
            if inspect.isclass(item) or inspect.isroutine(item):
                self.assertTrue(inspect.getdoc(item), name)
            if inspect.isclass(item):
                for member, value in vars(item).items():
                    if not member.startswith("_") and (inspect.isroutine(value) or isinstance(value, property)):
                        self.assertTrue(value.__doc__, f"{name}.{member}")
