"""The rows of the run: what was expected, what was seen, and the figure that was measured."""

from support.tally import Tally


class Table:
    """Counts the rows as checks and prints them all as one table at the end."""

    def __init__(self):
        self.tally, self.rows = Tally(), []

    def row(self, name, expected, seen, ok, figure=""):
        """One check. `name` begins with the row's id."""
        self.rows.append(("ok" if ok else "FAIL", name, str(expected), str(seen), str(figure)))
        self.tally.check(ok, name, f"expected {expected}, seen {seen} ({figure})", quiet=True)
        return ok

    def equal(self, name, expected, seen, figure=""):
        return self.row(name, expected, seen, seen == expected, figure)

    def bound(self, name, seen, most, unit, note="", fails_above=None):
        """A measured figure and its bar. Figures that depend on the machine fail above a wider one."""
        ok = seen <= (most if fails_above is None else fails_above)
        return self.row(name, f"<= {most} {unit}", f"{seen:.4g} {unit}", ok, note or f"{seen:.4g} {unit}")

    def skip(self, name, why):
        self.rows.append(("skip", name, "", why, ""))
        self.tally.skip(1, f"{name}: {why}")

    def print(self):
        heads = ("", "row", "expected", "seen", "figure")
        rows = [heads, *[tuple(" ".join(cell.split()) for cell in row) for row in self.rows]]
        widths = [min(60, max(len(row[i]) for row in rows)) for i in range(5)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
