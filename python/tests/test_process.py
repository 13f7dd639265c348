"""The ends of processes: fork, Ctrl-C, and interpreters that exit in the middle of everything. All in children."""

import os
import signal
import unittest

from .support import finish, run_child, spawn

PRELUDE = """
import atexit, os, signal, sys, threading, time
import libws

def opened(count, start=True):
    loop = libws.Loop()
    listener = loop.listen("ws://127.0.0.1:0", on_message=lambda conn, message: conn.send(message))
    ready = threading.Semaphore(0)
    conns = [loop.connect(listener.url, on_open=lambda conn: ready.release(),
                          on_message=lambda conn, message: conn.send(message)) for _ in range(count)]
    if start:
        loop.start()
        for _ in range(count):
            assert ready.acquire(timeout=20)
    return loop, listener, conns
"""

# How a process can end with 100 open connections; the messages go round for ever meanwhile.
EXITS = {
    "by falling off the end": "",
    "by sys.exit": "sys.exit(0)",
    "by an exception": "sys.stderr = open(os.devnull, 'w'); 1 / 0",
    "while a daemon thread sends": """
def work():
    while True:
        for conn in conns:
            try: conn.send("x")
            except libws.FullError: pass
            except libws.Error: return
threading.Thread(target=work, daemon=True).start()
""",
    "with timers and posts under way": """
def beat():
    try: loop.post(int)
    except libws.GoneError: pass
loop.start_timer(0, beat, every_ms=1)
for _ in range(100): loop.post(lambda: None)
""",
}
EXIT_ROUNDS = 40
AT_ONCE = 8
FINISHED = {"by an exception": 1}


class Exit(unittest.TestCase):
    def test_200_exits_with_100_open_connections(self):
        jobs = [(how, code) for how, code in EXITS.items() for _ in range(EXIT_ROUNDS)]
        self.assertEqual(len(jobs), 200)
        while jobs:
            batch, jobs = jobs[:AT_ONCE], jobs[AT_ONCE:]
            children = [
                (how, spawn(f"{PRELUDE}\nloop, listener, conns = opened(100)\n"
                            f"for conn in conns: conn.send('round')\n{code}"))
                for how, code in batch
            ]
            for how, child in children:
                status, output = finish(child)
                self.assertEqual((status, output), (FINISHED.get(how, 0), ""), how)

    def check(self, code, status=0, output="", **options):
        self.assertEqual(run_child(PRELUDE + code, **options), (status, output))

    def test_every_on_close_comes_before_the_exit(self):
        self.check(
            """
import libws._loop
# Exit functions run last in, first out: the count is printed after the loops are closed.
atexit.unregister(libws._loop._close_all)
atexit.register(lambda: print(len(closed)))
atexit.register(libws._loop._close_all)
closed = []
def on_close(conn, info): closed.append(conn)
loop = libws.Loop()
listener = loop.listen("ws://127.0.0.1:0", on_close=on_close)
ready = threading.Semaphore(0)
for _ in range(10):
    loop.connect(listener.url, on_open=lambda conn: ready.release(), on_close=on_close)
loop.start()
for _ in range(10):
    ready.acquire()
""",
            output="20\n",
        )

    def test_a_loop_that_never_ran(self):
        self.check("opened(100, start=False)")

    def test_a_daemon_thread_inside_run(self):
        self.check(
            """
loop, listener, conns = opened(10, start=False)
inside = threading.Event()
loop.post(inside.set)
threading.Thread(target=loop.run, daemon=True).start()
inside.wait()
"""
        )

    def test_a_daemon_thread_inside_a_callback_that_does_not_return(self):
        self.check(
            """
loop, listener, conns = opened(10, start=False)
inside = threading.Event()
loop.post(lambda: (inside.set(), time.sleep(600)))
threading.Thread(target=loop.run, daemon=True).start()
inside.wait()
"""
        )

    def test_sys_exit_in_a_callback(self):
        self.check("loop, listener, conns = opened(10, start=False); loop.post(sys.exit, 7); loop.run()", status=7)

    def test_os_exit_in_a_callback(self):
        self.check("loop, listener, conns = opened(10, start=False); loop.post(os._exit, 7); loop.run()", status=7)

    def test_closed_twice_and_closed_at_exit(self):
        self.check(
            """
loop, listener, conns = opened(10)
loop.close()
try: loop.close()
except libws.GoneError: print("gone")
""",
            output="gone\n",
        )

    def test_the_module_is_torn_down_with_callbacks_that_use_globals(self):
        self.check("loop, listener, conns = opened(5)\nlibws_gone = sys.modules.pop('libws')\ndel libws")


class Interrupt(unittest.TestCase):
    def interrupted(self, code, times=1):
        child = spawn(PRELUDE + code)
        line = child.stdout.readline()
        self.assertEqual(line, "ready\n")
        child.send_signal(signal.SIGINT)
        if times == 2:
            self.assertEqual(child.stdout.readline(), "first\n")
            child.send_signal(signal.SIGINT)
        status, output = finish(child)
        child.stdout.close()
        return status, output

    RUN = """
try:
    loop.run()
except KeyboardInterrupt:
    print("interrupted", threading.current_thread() is threading.main_thread())
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
loop.close()
"""

    def test_an_idle_loop(self):
        code = "loop, *_ = opened(1, start=False); loop.start_timer(1, lambda: print('ready', flush=True))"
        self.assertEqual(self.interrupted(code + self.RUN), (0, "interrupted True\n"))

    def test_a_busy_loop_twenty_times(self):
        code = """
loop, listener, conns = opened(10, start=False)
loop.start_timer(50, lambda: [conn.send("x") for conn in conns] and print("ready", flush=True))
"""
        for _ in range(20):
            self.assertEqual(self.interrupted(code + self.RUN), (0, "interrupted True\n"))

    def test_a_callback_that_does_not_return_needs_the_second(self):
        code = """
loop, listener, conns = opened(1, start=False)
def stuck():
    print("ready", flush=True)
    said = False
    while True:
        if signal.getsignal(signal.SIGINT).__closure__ and not said:
            for cell in signal.getsignal(signal.SIGINT).__closure__:
                if cell.cell_contents == {signal.SIGINT}:
                    print("first", flush=True)
                    said = True
loop.post(stuck)
"""
        self.assertEqual(self.interrupted(code + self.RUN, times=2), (0, "interrupted True\n"))

    def test_a_handler_of_the_application_stays(self):
        code = """
loop, *_ = opened(1, start=False)
signal.signal(signal.SIGINT, lambda *_: loop.stop())
loop.start_timer(1, lambda: print("ready", flush=True))
loop.run()
print("stopped")
"""
        self.assertEqual(self.interrupted(code), (0, "stopped\n"))


@unittest.skipUnless(hasattr(os, "fork"), "no fork")
class Fork(unittest.TestCase):
    CHILD = """
def child():
    for call in (loop.close, loop.run, loop.stop, listener.close, conns[0].terminate, lambda: conns[0].send("x"),
                 lambda: loop.post(print), lambda: loop.listen("ws://127.0.0.1:0")):
        try:
            call()
            return 1
        except libws.GoneError:
            pass
    return 0

def child_with_a_loop():
    mine, _, _ = opened(5)
    mine.close()
    return child()
"""
    PARENT = """
answers = threading.Semaphore(0)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
echo = loop.connect(listener.url, on_open=lambda conn: conn.send("x"), on_message=lambda *_: answers.release())
print(status, answers.acquire(timeout=20), {conn.ready_state.name for conn in conns})
"""

    def test_the_child_of_a_process_with_a_background_loop(self):
        code = """
loop, listener, conns = opened(20)
pid = os.fork()
if pid == 0:
    sys.exit(child_with_a_loop())
"""
        self.assertEqual(run_child(PRELUDE + self.CHILD + code + self.PARENT), (0, "0 True {'OPEN'}\n"))

    def test_fork_inside_a_callback(self):
        code = """
loop, listener, conns = opened(20)
pids = []
forked = threading.Event()
def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(child())
    pids.append(pid)
    forked.set()
loop.post(fork)
forked.wait()
pid = pids[0]
"""
        self.assertEqual(run_child(PRELUDE + self.CHILD + code + self.PARENT), (0, "0 True {'OPEN'}\n"))

    def test_a_child_that_returns_from_the_callback(self):
        code = """
loop, listener, conns = opened(5, start=False)
pids = []
loop.post(lambda: pids.append(os.fork()))
try:
    loop.start_timer(20, loop.stop)
    loop.run()
except libws.GoneError:
    os._exit(child_with_a_loop())
pid = pids[0]
loop.start()
"""
        self.assertEqual(run_child(PRELUDE + self.CHILD + code + self.PARENT), (0, "0 True {'OPEN'}\n"))
