"""The app and stock Yjs clients in one note: through our host, and through npm's."""

import random
import threading
import time

from editors import all_equal, until
from hosts import through

EDITS = 300
# Each editor types characters of its own, every one of them once: so a lost or doubled keystroke shows.
ALPHABETS = (0x4E00, 0x20000)
NAMES = {"Ada", "小明"}
LONE_SECONDS = 65
# y-websocket tries again after 0.2 s, 0.4 s, 0.8 s, ...: whoever does not give up has done so often by then.
GIVE_UP_SECONDS = 6


class Typist:
    """Types and deletes at random places; knows what must be left in the end."""

    def __init__(self, editor, alphabet, seed):
        self.editor, self.next = editor, alphabet
        self.random = random.Random(seed)
        self.left = set()

    def edit(self):
        text = self.editor.text()
        mine = [at for at, character in enumerate(text) if character in self.left]
        if mine and self.random.random() < 0.2:
            at = self.random.choice(mine)
            # Between look and deletion others may have typed before it: then it is not ours to delete.
            if self.editor.ask("delete", at=at, count=1, only=text[at]).get("done"):
                self.left.discard(text[at])
            return
        character = chr(self.next)
        self.next += 1
        self.editor.insert(self.random.randint(0, len(text)), character)
        self.left.add(character)

    def is_intact(self, text):
        """Every character that was typed and not deleted is there once, and no deleted one."""
        return all(text.count(character) == 1 for character in self.left)


def type_together(typists, edits):
    """All type at once, each `edits` times."""

    def work(typist):
        for _ in range(edits):
            typist.edit()

    threads = [threading.Thread(target=work, args=(typist,)) for typist in typists]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def intact(typists, text):
    """What is wrong with `text` for these typists; empty when nothing is."""
    problems = [f"{typist.editor.name}: {missing(typist, text)}" for typist in typists if not typist.is_intact(text)]
    typed = set().union(*(typist.left for typist in typists))
    extra = [character for character in text if ord(character) >= 0x4E00 and character not in typed]
    return "; ".join(problems) + (f"; too much: {extra[:20]}" if extra else "")


def missing(typist, text):
    wrong = [(character, text.count(character)) for character in sorted(typist.left) if text.count(character) != 1]
    return f"{len(wrong)} of {len(typist.left)} characters are not there once: {wrong[:10]}"


def exchange_text(report, ada, ming):
    ada.insert(0, "# Hello, 世界 🎉\n")
    report.check(until(lambda: ming.text() == "# Hello, 世界 🎉\n"), "the app's text arrives", ming.text)
    ming.insert(9, "美丽的 ")
    report.check(until(lambda: ada.text() == "# Hello, 美丽的 世界 🎉\n"), "the stock client's text arrives", ada.text)
    ada.insert(16, "👨\u200d👩\u200d👧")
    report.check(until(lambda: all_equal([ada, ming])), "an emoji of several code points arrives", ming.text)
    ming.delete(16, 5)
    ada.delete(13, 2)
    report.check(until(lambda: ada.text() == ming.text() == "# Hello, 美丽的  🎉\n"), "deletions arrive", ada.text)


def exchange_presence(report, ada, ming):
    for editor, other in ((ada, "小明"), (ming, "Ada")):
        seen = until(lambda: any(one["name"] == other for one in editor.ask("people")["people"]))
        report.check(seen, f"{editor.name} sees {other}", lambda: editor.ask("people"))
    end = len(ada.text())
    for anchor, head in ((2, 7), (9, end), (end, end), (0, 0)):
        for editor, other in ((ada, ming), (ming, ada)):
            editor.ask("select", anchor=anchor, head=head)
            report.check(
                until(lambda: caret_of(other, editor.name) == (anchor, head)),
                f"{other.name} sees the caret of {editor.name} from {anchor} to {head}",
                lambda: other.ask("carets"),
            )
    cursor = ming.ask("cursors")["cursors"][0]
    keys = {tuple(sorted(position)) for position in cursor.values()}
    report.check(keys == {("assoc", "item", "tname", "type")}, "a cursor of the app has all four keys", cursor)
    ada.ask("select", anchor=3, head=5)
    until(lambda: caret_of(ming, "Ada") == (3, 5))
    ming.insert(0, "前言 ")
    report.check(until(lambda: caret_of(ming, "Ada") == (6, 8)), "a caret moves with the text", lambda: ming.ask("carets"))
    for editor, other, said in ((ada, ming, "🎉"), (ming, ada, "说得好")):
        editor.ask("react", text=said)
        seen = until(lambda: said in other.ask("reactions")["reactions"])
        report.check(seen, f"{other.name} sees the reaction {said}", lambda: other.ask("reactions"))


def caret_of(editor, name):
    for caret in editor.ask("carets")["carets"]:
        if caret["name"] == name:
            return caret["anchor"], caret["head"]
    return None


def offline(report, proxy, editors):
    proxy.offline()
    for editor in editors:
        left = until(lambda: editor.state()["state"] == "reconnecting")
        report.check(left, f"{editor.name} notices that it is offline", editor.state)
        editor.insert(0, f"{editor.name} offline 离线\n")
    proxy.online()
    wanted = [f"{editor.name} offline 离线\n" for editor in editors]
    same = until(lambda: all_equal(editors) and all(editors[0].text().count(line) == 1 for line in wanted))
    report.check(same, "what was typed offline is there once for everybody", editors[0].text)


def concurrent(report, proxy, editors):
    for editor in editors:
        editor.delete(0, len(editor.text()))
    report.check(until(lambda: {editor.text() for editor in editors} == {""}), "everything can be deleted")
    typists = [Typist(editor, alphabet, seed) for seed, (editor, alphabet) in enumerate(zip(editors, ALPHABETS))]
    proxy.delay = 0.02
    type_together(typists, EDITS)
    report.check(until(lambda: all_equal(editors)), f"{EDITS} + {EDITS} concurrent edits converge")
    text = editors[0].text()
    report.check(not intact(typists, text), "each keystroke of them is there once", intact(typists, text))
    proxy.delay = 0.0
    proxy.offline()
    until(lambda: not any(editor.is_live() for editor in editors))
    type_together(typists, EDITS)
    proxy.online()
    report.check(until(lambda: all_equal(editors)), f"{EDITS} + {EDITS} offline edits converge")
    text = editors[0].text()
    report.check(not intact(typists, text), "each keystroke of these too", intact(typists, text))


def together(report, makers, proxy, link):
    """The whole dialogue of an app editor and a stock client at one host."""
    link = through(link, proxy)
    with makers.app(link, "Ada") as ada, makers.node(link, "小明") as ming:
        for editor in (ada, ming):
            report.check(until(editor.is_live), f"{editor.name} is live", editor.state)
        exchange_text(report, ada, ming)
        exchange_presence(report, ada, ming)
        offline(report, proxy, [ada, ming])
        concurrent(report, proxy, [ada, ming])
        ming.close()
        alone = until(lambda: ada.ask("people")["people"] == [])
        report.check(alone, "who has gone is not shown any more", lambda: ada.ask("people"))


def lone(report, makers, ours, theirs):
    """An idle client stays connected: the stock one lives on the echo of its own presence."""
    with makers.node(ours, "lone 独自") as stock, makers.app(theirs, "lone app") as app:
        report.check(until(stock.is_live) and until(app.is_live), "both are live")
        time.sleep(LONE_SECONDS)
        state = stock.state()
        quiet = state["state"] == "live" and state["drops"] == 0 and state["attempts"] == 1
        report.check(quiet, f"a lone stock client stays connected to our host for {LONE_SECONDS} s", state)
        state = app.state()
        report.check(state["state"] == "live" and state["drops"] == 0, "the lone app to npm's server too", state)


def wrong_token(report, makers, link):
    broken = link[:-1] + ("a" if link[-1] != "a" else "b")
    for title, wrong in (("as a subprotocol", broken), ("in the query", broken + "?query")):
        with makers.node(wrong, "stranger") as stranger:
            until(lambda: stranger.state()["drops"] > 0)
            time.sleep(GIVE_UP_SECONDS)
            state = stranger.state()
            once = state["attempts"] == 1 and state["code"] == 4401
            report.check(once, f"a wrong token {title} is one attempt of the stock client, and 4401", state)
    with makers.app(broken, "stranger") as app:
        refused = until(lambda: app.state()["state"] == "refused")
        report.check(refused and app.state()["code"] == 4401, "the app says that the link is no longer valid", app.state)
    with makers.node(link + "?query", "query") as right:
        report.check(until(right.is_live), "the right token in the query is let in", right.state)


def read_only(report, makers, edit, read):
    with makers.node(edit, "writer") as writer, makers.node(read, "reader") as reader, makers.app(read, "app") as app:
        until(writer.is_live)
        writer.insert(0, "只读 read-only")
        for one in (reader, app):
            report.check(until(lambda: one.text() == "只读 read-only"), f"a reader ({one.name}) sees the text", one.text)
        report.check(reader.state()["state"] == "live", "a reader who only reads stays connected", reader.state)
        reader.insert(0, "vandal ")
        refused = until(lambda: reader.state()["code"] == 4403)
        report.check(refused, "an edit of a stock reader is refused with 4403", reader.state)
        app.insert(0, "vandal ")
        refused = until(lambda: app.state()["code"] == 4403)
        report.check(refused, "an edit of the app as a reader too", app.state)
        writer.insert(0, "# ")
        report.check(until(lambda: "# " in writer.text()) and "vandal" not in writer.text(), "nothing of it is in the note", writer.text)
        with makers.node(edit, "second") as second:
            report.check(until(lambda: second.text() == "# 只读 read-only"), "nor at the host", second.text)
