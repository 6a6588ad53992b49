"""Zip archives that others made, unpacked within bounds into a folder of ours."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from .file_patterns import LARGEST, ReadingBound, SourceFile, UnreadableFile

MOST_ENTRIES = 10_000
MEMORY = 160 * 2**20
"""Bytes that reading what an archive holds may take."""

MOST_ELEMENTS = 5_000_000
"""XML elements that are read of an archive: under a minute's work."""

LARGEST_LIST = 4 * 2**20
"""Bytes of an archive's list of entries: it is read whole before anything else."""

_END = b"PK\x05\x06"
_LARGE = b"PK\x06\x07"
"""Stands 20 bytes before the end where the list's true size stands elsewhere, as in archives beyond 4 GB (ZIP64)."""

_LONGEST_END = 22 + 65_535
"""The record at an archive's end, with the longest comment there may be."""

_ENCRYPTED = 0x1
_PACKED_AS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others unpack without bounds: one step of bzip2 or LZMA can give gigabytes."""

_STEP = 1 << 16


def unpacked(packed: bytes, name: str, patterns: Sequence[str], folder: Path) -> list[SourceFile]:
    """The files the patterns match, or all, each under a name of ours in `folder`; known as `name: the entry's own`.

    No name out of the archive is ever a path here. Whether what it holds is as large as it says is not taken on trust.

    Raises:
        UnreadableFile: for what is no archive, or one beyond the bounds; for one that names places outside of itself,
            and where a pattern matches nothing.
    """
    _check_list(packed, name)
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            entries = _files(archive, name)
            return list(_written(archive, _chosen(entries, name, patterns), name, folder))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, LookupError, struct.error, ValueError) as error:
        raise UnreadableFile(name, None, f"it can't be unpacked ({error})") from None


def _check_list(packed: bytes, name: str) -> None:
    """Refuses a list of entries that would fill the memory, going by the record at the end that tells its size."""
    place = packed.rfind(_END, max(0, len(packed) - _LONGEST_END))
    if place < 0 or len(packed) < place + 22:
        raise UnreadableFile(name, None, "it is no zip archive, or cut off")
    if packed[max(0, place - 20) : place].startswith(_LARGE):
        raise UnreadableFile(name, None, "it is in the form for archives beyond 4 GB (ZIP64), which is not read")
    entries, size = struct.unpack_from("<HI", packed, place + 10)
    if entries > MOST_ENTRIES or size > LARGEST_LIST:
        raise _too_many(name)


def _too_many(name: str) -> UnreadableFile:
    return UnreadableFile(name, None, f"it holds more than the {MOST_ENTRIES:,} files that are read")


def _files(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Entries that are no folders and have a name; each is looked at, also those no pattern matches."""
    listed = archive.infolist()
    if len(listed) > MOST_ENTRIES:
        raise _too_many(name)
    files = [entry for entry in listed if _is_file(entry)]
    for entry in files:
        _check_name(entry.filename, name)
    return files


def _is_file(entry: zipfile.ZipInfo) -> bool:
    return bool(_path(entry.filename).parts) and not entry.is_dir()


def _path(entry: str) -> PurePosixPath:
    return PurePosixPath(entry.replace("\\", "/"))


def _shown(entry: str) -> str:
    """A name out of the archive, for people: others chose it."""
    return "".join(letter if letter.isprintable() else "?" for letter in entry[:100])


def _check_name(entry: str, name: str) -> None:
    path = _path(entry)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise UnreadableFile(name, None, f"it holds {entry[:100]!r}, which leads out of it; nothing of it is read")


def _chosen(entries: Sequence[zipfile.ZipInfo], name: str, patterns: Sequence[str]) -> list[zipfile.ZipInfo]:
    names = {entry.filename for entry in entries}
    for pattern in patterns:
        if not any(fnmatchcase(one, pattern) for one in names):
            held = ", ".join(map(_shown, sorted(names)[:10])) or "nothing"
            raise UnreadableFile(name, None, f"no file in it matches {pattern!r}; it holds {held}")
    chosen = [e for e in entries if not patterns or any(fnmatchcase(e.filename, p) for p in patterns)]
    if not chosen:
        raise UnreadableFile(name, None, "it is empty")
    return chosen


def _written(
    archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], name: str, folder: Path
) -> Iterator[SourceFile]:
    left, bound = LARGEST, ReadingBound(MEMORY, MOST_ELEMENTS)
    for number, entry in enumerate(entries):
        if entry.flag_bits & _ENCRYPTED:
            raise UnreadableFile(name, None, f"{_shown(entry.filename)} in it is encrypted")
        if entry.compress_type not in _PACKED_AS:
            words = f"{_shown(entry.filename)} in it is packed by another method than deflate, the one that is read"
            raise UnreadableFile(name, None, words)
        path = folder / f"{number:05}"
        with archive.open(entry) as packed, path.open("wb") as file:
            left = _poured(packed.read, file.write, left, name)
        yield SourceFile(path, f"{name}: {_shown(entry.filename)}", bound)


def _poured(read: Callable[[int], bytes], write: Callable[[bytes], object], left: int, name: str) -> int:
    """Copies to the end; how many bytes may still be unpacked then."""
    while part := read(_STEP):
        left -= len(part)
        if left < 0:
            raise UnreadableFile(name, None, f"it unpacks to more than the {LARGEST:,} bytes that are read")
        write(part)
    return left
