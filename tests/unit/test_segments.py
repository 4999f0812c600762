"""A full, read-only or vanished spool loses no event and tears no line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from collectors.segments import SegmentWriter, SpoolError

LINE = b'{"a":1}\n'


def written(spool: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(spool.glob("*/*.jsonl")))


def test_segments_are_sealed_by_size(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, "s", segment_bytes=3 * len(LINE))

    for _ in range(7):
        writer.write(LINE)

    assert [p.stat().st_size for p in sorted(tmp_path.glob("*/*.jsonl"))] == [24, 24, 8]


def test_a_spool_that_cannot_be_made_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SpoolError, match="VIGIE_SPOOL") as error:
        SegmentWriter(tmp_path / "file", "s")

    assert str(tmp_path / "file") in str(error.value)
    assert "\n" not in str(error.value)


def test_a_full_disk_holds_events_back_and_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    writer = SegmentWriter(tmp_path, "s")
    writer.write(LINE)
    real, room = os.write, [3]

    def full(descriptor: int, data: bytes) -> int:
        if descriptor == 2:
            return real(descriptor, data)
        if room:
            return real(descriptor, data[: room.pop()])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    for _ in range(5):
        assert writer.write(LINE)
    assert writer.waiting == 5
    monkeypatch.setattr(os, "write", real)
    assert writer.flush() == 0
    writer.write(LINE)
    writer.close()

    first, *rest = sorted(tmp_path.glob("*/*.jsonl"))
    assert first.read_bytes() == LINE + LINE[:3]
    assert b"".join(p.read_bytes() for p in rest) == LINE * 6
    assert writer.dropped == 0
    assert "free space" in capfd.readouterr().err


def test_what_the_memory_bound_refuses_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SegmentWriter(tmp_path, "s", held_bytes=2 * len(LINE))

    def refuse(descriptor: int, data: bytes) -> int:
        if descriptor == 2:
            return len(data)
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "write", refuse)
    answers = [writer.write(LINE) for _ in range(4)]
    monkeypatch.undo()
    writer.close()

    assert answers == [True, True, False, False]
    assert writer.dropped == 2
    assert written(tmp_path) == LINE * 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_really_full_device(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, "s")
    writer.write(LINE)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._descriptor)
    os.close(full)

    assert writer.write(LINE)
    assert writer.waiting == 1
