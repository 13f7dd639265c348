"""What every Autobahn case must end with: the suite's verdict, and a Close frame with the right code.

The suite passes a peer that drops TCP where a Close frame is due, and one that closes with an empty frame where
a code is due. Here the code must be the one that the case provokes, and both Close frames must have passed.
"""

from collections import Counter

# The suite itself calls the outcome of these open; all others must be OK.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}

NORMAL, PROTOCOL_ERROR, INVALID_PAYLOAD, NO_CODE = 1000, 1002, 1007, None

# Cases and whole groups (a trailing dot) that must end with another code than 1000. The closest entry wins.
CLOSE_CODES = {
    "2.5": PROTOCOL_ERROR,  # a ping of 126 bytes
    "3.": PROTOCOL_ERROR,  # reserved bits
    "4.": PROTOCOL_ERROR,  # reserved opcodes
    "5.1": PROTOCOL_ERROR,  # a ping in fragments
    "5.2": PROTOCOL_ERROR,  # a pong in fragments
    **{f"5.{case}": PROTOCOL_ERROR for case in range(9, 19)},  # continuation of nothing, or none where one is due
    "6.3.": INVALID_PAYLOAD,  # invalid UTF-8, whole and byte by byte
    "6.4.": INVALID_PAYLOAD,  # invalid UTF-8, to be noticed before the message ends
    **{f"6.6.{case}": INVALID_PAYLOAD for case in (1, 3, 4, 6, 8, 10)},  # a character that is cut off
    "6.8.": INVALID_PAYLOAD,  # five and six bytes long
    "6.10.": INVALID_PAYLOAD,  # beyond U+10FFFF, and longer
    "6.11.5": INVALID_PAYLOAD,  # just beyond U+10FFFF
    **{f"6.{group}.": INVALID_PAYLOAD for group in range(12, 22)},  # stray bytes, overlong forms, surrogates
    "7.3.1": NO_CODE,  # an empty Close is answered with an empty one
    "7.3.2": PROTOCOL_ERROR,  # a Close of one byte
    "7.3.6": PROTOCOL_ERROR,  # a Close of 126 bytes
    "7.5.1": INVALID_PAYLOAD,  # a reason that is not UTF-8
    "7.9.": PROTOCOL_ERROR,  # codes that must not be sent
    "7.13.": PROTOCOL_ERROR,  # codes that nobody may define
}
# Valid codes must come back as they were sent.
_ECHOED = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
CLOSE_CODES |= {f"7.7.{number}": code for number, code in enumerate(_ECHOED, 1)}

# Reasons must come back too.
CLOSE_REASONS = {"7.3.4": "Hello World!", "7.3.5": "*" * 123}


def close_code(case):
    """The code that the Close frame of the tested peer must carry in `case`; None for an empty frame."""
    if case in CLOSE_CODES:
        return CLOSE_CODES[case]
    parts = case.split(".")
    for length in range(len(parts) - 1, 0, -1):
        group = ".".join(parts[:length]) + "."
        if group in CLOSE_CODES:
            return CLOSE_CODES[group]
    return NORMAL


def wrong(case, result):
    """What is wrong with the result of a case, in words; empty when nothing is."""
    due = "INFORMATIONAL" if case in INFORMATIONAL else "OK"
    faults = []
    if result["behavior"] != due:
        faults.append(f"{result['behavior']}, expected {due}")
    if result["behaviorClose"] != due:
        faults.append(f"close {result['behaviorClose']}, expected {due}")
    if not result["wasClean"]:
        faults.append("no close handshake")
    if result["remoteCloseCode"] != close_code(case):
        faults.append(f"close code {result['remoteCloseCode']}, expected {close_code(case)}")
    if case in CLOSE_REASONS and result["remoteCloseReason"] != CLOSE_REASONS[case]:
        faults.append("the close reason was not echoed")
    return "; ".join(faults)


def case_order(results):
    """The case ids in numerical order."""
    return sorted(results, key=lambda case: [int(number) for number in case.split(".")])


def table(role, results):
    """Results by chapter, as text."""
    columns = ("OK", "NON-STRICT", "INFORMATIONAL", "FAILED")
    rows = {}
    for case in case_order(results):
        row = rows.setdefault(case.split(".")[0], Counter())
        behavior = results[case]["behavior"]
        row[behavior if behavior in columns else "FAILED"] += 1
        row["cases"] += 1
        row["close"] += results[case]["remoteCloseCode"] == close_code(case) and results[case]["wasClean"]
    rows["all"] = sum(rows.values(), Counter())
    lines = [f"Autobahn as {role:7} cases     OK  NON-STRICT  INFORMATIONAL  FAILED  right close"]
    for chapter, row in rows.items():
        lines.append(
            f"{chapter:>18} {row['cases']:5} {row['OK']:6} {row['NON-STRICT']:11} {row['INFORMATIONAL']:14}"
            f" {row['FAILED']:7} {row['close']:12}"
        )
    return "\n".join(lines)
