"""A disk as the calls of a process made it, and what a power cut may leave of it.

What counts is what POSIX promises: bytes are durable after fsync of their file, names after fsync of their
folder. Between two of those the disk may have done any part of what it was asked for. A rename is one step
for both folders that it touches, as it is in the journals of today's file systems.
"""

import os

SECTOR = 512
IMAGES = ("synced only", "names first", "torn", "reordered", "lost tail")


class Node:
    """One file: the bytes that are durable, and the changes since."""

    def __init__(self):
        self.durable = b""
        self.pending = []  # (number of the change, offset, bytes) or (number, size, None) for a truncate

    def sync(self):
        self.durable, self.pending = applied(self.durable, self.pending), []


def applied(content, changes):
    content = bytearray(content)
    for _, place, data in changes:
        if data is None:
            content = content[:place] + bytes(max(0, place - len(content)))
            continue
        if len(content) < place:
            content += bytes(place - len(content))
        content[place:place + len(data)] = data
    return bytes(content)


class Naming:
    """A change of names that no folder has synced yet: `gone` and `made` are paths (or None), `node` what
    is made: a Node, or None for a folder."""

    def __init__(self, number, gone, made, node):
        self.number, self.gone, self.made, self.node = number, gone, made, node
        self.folders = {os.path.dirname(path) for path in (gone, made) if path is not None}

    def apply(self, names):
        if self.gone is not None:
            names.pop(self.gone, None)
        if self.made is not None:
            names[self.made] = self.node


class Disk:
    """Below `root`; paths are absolute. `keep` says which belong to the picture."""

    def __init__(self, root, keep):
        self.root, self.keep = str(root), keep
        self.names = {}  # as a process sees them
        self.durable_names = {}
        self.namings = []
        self.open = {}  # descriptor: [Node or path of a folder, position, appends]
        self.changes = 0
        self.last_sync = 0

    def replay(self, calls):
        for call in calls:
            step = getattr(self, "on_" + call.name, None)
            if step is not None and call.result is not None and call.result >= 0:
                step(call)

    def next_change(self):
        self.changes += 1
        return self.changes

    def path(self, text):
        path = os.path.normpath(os.path.join(self.root, os.fsdecode(text)))
        return path if path.startswith(self.root + "/") and self.keep(path) else None

    def rename(self, gone, made, node):
        naming = Naming(self.next_change(), gone, made, node)
        naming.apply(self.names)
        self.namings.append(naming)

    def on_openat(self, call):
        path, flags = self.path(call.strings()[0]), call.numbers()[2]
        # The root's own folder is opened only to be synced.
        if path is None:
            whole = os.path.normpath(os.path.join(self.root, os.fsdecode(call.strings()[0])))
            if "O_DIRECTORY" in flags and whole == self.root:
                self.open[call.result] = [whole, 0, False]
            else:
                self.open.pop(call.result, None)
            return
        if "O_DIRECTORY" in flags or (path in self.names and self.names[path] is None):
            self.open[call.result] = [path, 0, False]
            return
        if path not in self.names:
            self.rename(None, path, Node())
        node = self.names[path]
        if "O_TRUNC" in flags:
            node.pending.append((self.next_change(), 0, None))
        self.open[call.result] = [node, 0, "O_APPEND" in flags]

    def on_close(self, call):
        self.open.pop(int(call.numbers()[0]), None)

    def on_fcntl(self, call):
        descriptor, what = call.numbers()[:2]
        if what.startswith("F_DUPFD") and int(descriptor) in self.open:
            self.open[call.result] = list(self.open[int(descriptor)])

    def file(self, call):
        """The open file that a call is about; None for folders, sockets and other people's files."""
        entry = self.open.get(int(call.numbers()[0]))
        return entry if entry is not None and isinstance(entry[0], Node) else None

    def on_write(self, call):
        entry = self.file(call)
        if entry is not None:
            node, position, appends = entry
            place = len(applied(node.durable, node.pending)) if appends else position
            node.pending.append((self.next_change(), place, call.strings()[0][:call.result]))
            entry[1] = place + call.result

    def on_pwrite64(self, call):
        entry = self.file(call)
        if entry is not None:
            place = int(call.numbers()[3])
            entry[0].pending.append((self.next_change(), place, call.strings()[0][:call.result]))

    def on_ftruncate(self, call):
        entry = self.file(call)
        if entry is not None:
            entry[0].pending.append((self.next_change(), int(call.numbers()[1]), None))

    def on_fsync(self, call):
        entry = self.open.get(int(call.numbers()[0]))
        if entry is None:
            return
        self.last_sync = self.next_change()
        if isinstance(entry[0], Node):
            entry[0].sync()
            return
        folder = entry[0]
        for naming in [naming for naming in self.namings if folder in naming.folders]:
            naming.apply(self.durable_names)
            self.namings.remove(naming)

    on_fdatasync = on_fsync

    def on_rename(self, call):
        gone, made = map(self.path, call.strings())
        if gone is not None:
            self.rename(gone, made, self.names[gone])

    def on_unlink(self, call):
        path = self.path(call.strings()[0])
        if path is not None and path in self.names:
            self.rename(path, None, None)

    on_rmdir = on_unlink

    def on_mkdir(self, call):
        path = self.path(call.strings()[0])
        if path is not None:
            self.rename(None, path, None)

    def differs_from_files(self):
        """Paths of which the picture is not what really stands there: then the record was misread."""
        different = [path for path, node in self.names.items() if node is not None and (
            not os.path.exists(path) or read(path) != applied(node.durable, node.pending))]
        return different + [path for path, node in self.names.items()
                            if node is None and not os.path.isdir(path)]

    # What a cut now may leave: a dict from path to bytes, or to None for a folder.

    def image(self, kind, chance):
        make = {"synced only": self.synced_only, "names first": self.names_first, "torn": self.torn,
                "reordered": self.reordered, "lost tail": self.lost_tail}
        return self.reachable(*make[kind](chance))

    def reachable(self, names, content):
        """Only what all folders lead to."""
        image = {}
        for path in sorted(names):
            parent = os.path.dirname(path)
            if parent == self.root or (parent in image and image[parent] is None):
                image[path] = None if names[path] is None else content(names[path])
        return image

    def synced_only(self, _):
        return self.durable_names, lambda node: node.durable

    def names_first(self, _):
        return self.names, lambda node: node.durable

    def torn(self, chance):
        def content(node):
            whole = chance.randrange(len(node.pending) + 1)
            changes = node.pending[:whole]
            for number, place, data in node.pending[whole:whole + 1]:
                if data is not None:
                    changes = changes + [(number, place, data[:chance.randrange(len(data) + 1)])]
            return applied(node.durable, changes)
        return self.names, content

    def reordered(self, chance):
        """Some sectors of some writes, and of each folder some of its first changes of names."""
        names = dict(self.durable_names)
        ended = set()
        for naming in self.namings:
            if naming.folders & ended or chance.random() < 0.3:
                ended |= naming.folders
            else:
                naming.apply(names)

        def content(node):
            sectors = []
            for number, place, data in node.pending:
                if data is None:
                    sectors.append((number, place, data))
                    continue
                while data:
                    size = SECTOR - place % SECTOR
                    sectors.append((number, place, data[:size]))
                    place, data = place + size, data[size:]
            return applied(node.durable, [sector for sector in sectors if chance.random() < 0.5])
        return names, content

    def lost_tail(self, chance):
        """Everything in order, up to some point."""
        end = chance.randrange(self.last_sync, self.changes + 1)
        names = dict(self.durable_names)
        for naming in self.namings:
            if naming.number <= end:
                naming.apply(names)
        return names, lambda node: applied(node.durable, [change for change in node.pending if change[0] <= end])


def read(path):
    with open(path, "rb") as file:
        return file.read()


def put(image):
    """Makes the files of an image."""
    for path, content in image.items():
        if content is None:
            os.makedirs(path, mode=0o700, exist_ok=True)
        else:
            with open(path, "wb") as file:
                file.write(content)
