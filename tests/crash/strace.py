"""What strace saw of a process: its calls, in the order in which they came back."""

import re
import shutil

STRACE = shutil.which("strace")
LINE = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$")
RESULT = re.compile(r"^(.*)\) += (-?\d+|\?)([^=]*)$", re.DOTALL)
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Call:
    """`arguments` as strace prints them, `result` None when the call never came back."""

    def __init__(self, thread, name, arguments, result):
        self.thread, self.name, self.arguments, self.result = thread, name, arguments, result

    def strings(self):
        """The strings among the arguments, as bytes; for traces with -xx."""
        return [bytes.fromhex(text.replace("\\x", "")) for text in STRING.findall(self.arguments)]

    def numbers(self):
        """What is left of the arguments without the strings, one by one."""
        return [part.strip() for part in STRING.sub('""', self.arguments).split(",")]


def calls(path):
    """Those that came back, and after them those that never did. A close stands where it began: another
    thread may get its descriptor before it comes back."""
    begun, done = {}, []
    with open(path, encoding="ascii", errors="replace") as trace:
        for line in trace:
            match = LINE.match(line.rstrip("\n"))
            if match is None:
                continue
            thread, resumed, name, rest = match.groups()
            if rest.endswith("<unfinished ...>"):
                rest = rest.removesuffix("<unfinished ...>").rstrip()
                if name == "close":
                    done.append(Call(thread, name, rest.removesuffix(")"), 0))
                else:
                    begun[thread] = (name, rest)
                continue
            if resumed == "close":
                continue
            if resumed is not None:
                name, front = begun.pop(thread, (resumed, ""))
                rest = front + rest
            result = RESULT.match(rest)
            if result is not None:
                returned = result.group(2)
                done.append(Call(thread, name, result.group(1),
                                 None if returned == "?" else int(returned)))
    return done + [Call(thread, name, text, None) for thread, (name, text) in begun.items()]


def counts(path):
    """By name, how often the thread that did it most often did it: strace counts by thread."""
    by_thread = {}
    for call in calls(path):
        by_thread[call.name, call.thread] = by_thread.get((call.name, call.thread), 0) + 1
    most = {}
    for (name, _), count in by_thread.items():
        most[name] = max(most.get(name, 0), count)
    return most


def inject(names, what, when, only_paths=(), record=None):
    """The words before a command that let `what` happen at the `when`-th call of one of `names`, counted
    by thread, and only of calls about `only_paths` when there are any."""
    words = [STRACE, "-f", "-qq", "--seccomp-bpf", "-e", f"trace={','.join(names)}",
             "-e", f"inject={','.join(names)}:{what}:when={when}", "-o", str(record or "/dev/null")]
    for path in only_paths:
        words += ["-P", str(path)]
    return words
