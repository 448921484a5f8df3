"""Ways in which files, images, lists, manifests, folders and archives get broken. All chance comes from a seed."""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

#: Names that are hard to carry: unicode, control characters, bytes that are no UTF-8, very long, hidden, Windows'.
NAMES = (
    "видео",
    "💥",
    "a b",
    "new\nline",
    "tab\there",
    "x" * 250,
    "-rf",
    "--out",
    "..a",
    ".hidden",
    "con.",
    "%08d",
    "[bold]",
    "*?",
    "a'b\"c",
    "back\\slash",
    os.fsdecode(b"\xff\xfe"),
    "é" * 60,
    "0",
)
JSON_VALUES: tuple[Any, ...] = (None, True, 0, -1, 10**30, 1.5, "", "x" * 300, "💥", [], {}, [None], {"a": 1})


def damage(root: Path, chance: Random) -> str:
    """Breaks one thing at or below ``root``, a folder or a file, and says what was done to what."""
    inside = [path for path in sorted([root, *root.rglob("*")]) if not path.is_symlink()]
    files = [path for path in inside if path.is_file()]
    folders = [path for path in inside if path.is_dir()]
    if not files and not folders:
        return "nothing"
    if folders and (not files or chance.random() < 0.2):
        target = chance.choice(folders)
        way = chance.choice(FOLDER_WAYS)
    else:
        target = chance.choice(files)
        way = chance.choice(_file_ways(target.suffix))
    try:
        way(target, chance)
    except (OSError, ValueError, zipfile.BadZipFile, SyntaxError):  # too broken already to be broken in this way
        way = append
        if target.is_file():
            append(target, chance)
    return f"{way.__name__} {target.relative_to(root.parent)}"


def _file_ways(suffix: str) -> tuple["Way", ...]:
    if suffix in (".png", ".jpg"):
        return FILE_WAYS + IMAGE_WAYS
    if suffix == ".json":
        return FILE_WAYS + JSON_WAYS + JSON_WAYS
    if suffix == ".txt":
        return FILE_WAYS + TEXT_WAYS + TEXT_WAYS
    return FILE_WAYS + ZIP_WAYS + ZIP_WAYS if suffix == ".zip" else FILE_WAYS


# Any file


def truncate(path: Path, chance: Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content) + 1)])


def flip(path: Path, chance: Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 8)):
        if content:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def zero(path: Path, chance: Random) -> None:
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content) + 1)
    end = chance.randint(start, len(content))
    content[start:end] = bytes(end - start)
    path.write_bytes(content)


def empty(path: Path, chance: Random) -> None:
    path.write_bytes(b"")


def append(path: Path, chance: Random) -> None:
    with path.open("ab") as file:
        file.write(chance.randbytes(chance.randint(1, 64)))


def noise(path: Path, chance: Random) -> None:
    path.write_bytes(chance.randbytes(chance.randint(1, 400)))


def remove(path: Path, chance: Random) -> None:
    path.unlink()


def into_folder(path: Path, chance: Random) -> None:
    path.unlink()
    path.mkdir()


def into_dead_link(path: Path, chance: Random) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def into_loop(path: Path, chance: Random) -> None:
    path.unlink()
    path.symlink_to(path.name)


def into_pipe(path: Path, chance: Random) -> None:
    """A device that is at its end at once: an endless one would only test the reader's patience."""
    path.unlink()
    path.symlink_to(os.devnull)


def rename(path: Path, chance: Random) -> None:
    path.rename(_free(path, chance))


def double(path: Path, chance: Random) -> None:
    shutil.copy(path, _free(path, chance))


def other_suffix(path: Path, chance: Random) -> None:
    suffix = chance.choice([".png", ".PNG", ".jpg", ".txt", ".tif", ".json", "", ".png.tmp"])
    target = path.with_suffix(suffix)
    if not target.exists():
        path.rename(target)


def forbid(path: Path, chance: Random) -> None:
    path.chmod(0)


def another_file(path: Path, chance: Random) -> None:
    others = [other for other in sorted(path.parent.parent.rglob("*")) if other.is_file() and other != path]
    if others:
        path.write_bytes(chance.choice(others).read_bytes())


def _free(path: Path, chance: Random) -> Path:
    """A strange name in the same folder that is not taken yet."""
    suffix = path.suffix if chance.random() < 0.8 else ""
    taken = {other.name for other in path.parent.iterdir()}
    return path.with_name(next(n for n in (chance.choice(NAMES) + suffix for _ in range(99)) if n not in taken))


# Images


def _rewrite(path: Path, image: Image.Image, form: str = "PNG") -> None:
    file = io.BytesIO()
    image.save(file, form)
    path.write_bytes(file.getvalue())


def _pixels(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(path) as image:
        return np.array(image)


def resize(path: Path, chance: Random) -> None:
    pixels = _pixels(path)
    ways = (pixels[:-1], pixels[:, :-1], np.repeat(pixels, 2, 0), np.swapaxes(pixels, 0, 1), pixels[:1, :1])
    _rewrite(path, Image.fromarray(np.ascontiguousarray(chance.choice(ways))))


def other_mode(path: Path, chance: Random) -> None:
    with Image.open(path) as image:
        image.load()
        _rewrite(
            path,
            image.convert("RGB").convert(chance.choice(["RGB", "RGBA", "L", "LA", "P", "1", "I;16", "I", "CMYK"])),
            "TIFF",
        )


def other_values(path: Path, chance: Random) -> None:
    pixels = _pixels(path)
    value = chance.choice([0, 11, 123, 124, 125, 200, 252, 254, 255])
    if chance.random() < 0.5:
        pixels[...] = value
    else:
        pixels[chance.randrange(len(pixels)), 0] = value
    _rewrite(path, Image.fromarray(pixels))


def animate(path: Path, chance: Random) -> None:
    file = io.BytesIO()
    frames = [Image.fromarray(_pixels(path)), Image.fromarray(255 - _pixels(path))]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    path.write_bytes(file.getvalue())


def huge(path: Path, chance: Random) -> None:
    """A header that claims a picture no memory holds."""
    _rewrite(path, Image.fromarray(_pixels(path)), "BMP")
    content = bytearray(path.read_bytes())
    content[18:26] = (100_000).to_bytes(4, "little") * 2
    path.write_bytes(content)


# Lists and JSON


def bad_line(path: Path, chance: Random) -> None:
    lines = path.read_bytes().splitlines()
    new = chance.choice(
        [*(os.fsencode(name) for name in NAMES), b"../x", b"/etc", b"a/b", b"x" * 300, b"\0", b"\xff", b" "]
    )
    lines.insert(chance.randint(0, len(lines)), new)
    path.write_bytes(b"\n".join(lines))


def repeat_line(path: Path, chance: Random) -> None:
    lines = path.read_bytes().splitlines() or [b""]
    path.write_bytes(b"\r\n".join([*lines, chance.choice(lines)]))


def lose_line(path: Path, chance: Random) -> None:
    lines = path.read_bytes().splitlines() or [b""]
    lines.pop(chance.randrange(len(lines)))
    path.write_bytes(b"\n".join(lines))


def other_encoding(path: Path, chance: Random) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    path.write_bytes(text.encode(chance.choice(["utf-16", "utf-32", "utf-8-sig"])))


def json_value(path: Path, chance: Random) -> None:
    """Replaces or removes something anywhere in the tree of a JSON file."""
    content = json.loads(path.read_bytes())
    places: list[tuple[Any, Any]] = []
    _collect(content, places)
    if not places:
        return
    holder, key = chance.choice(places)
    if chance.random() < 0.3:
        del holder[key]
    else:
        holder[key] = chance.choice(JSON_VALUES)
    path.write_text(json.dumps(content))


def _collect(content: Any, places: list[tuple[Any, Any]]) -> None:
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        places.append((content, key))
        _collect(value, places)


def json_other(path: Path, chance: Random) -> None:
    path.write_text(
        chance.choice(["null", "[]", "3", '"x"', "{}", "NaN", "{", "[" * 100_000, '{"a":' * 100_000, "1" * 5000])
    )


# Folders


def lose_folder(path: Path, chance: Random) -> None:
    shutil.rmtree(path)


def empty_folder(path: Path, chance: Random) -> None:
    shutil.rmtree(path)
    path.mkdir()


def folder_into_file(path: Path, chance: Random) -> None:
    shutil.rmtree(path)
    path.write_bytes(chance.choice([b"", b"x"]))


def folder_into_loop(path: Path, chance: Random) -> None:
    shutil.rmtree(path)
    path.symlink_to(chance.choice([path.name, "nowhere", "."]))


def more_folder(path: Path, chance: Random) -> None:
    new = _free(path / "x.png", chance)
    new.mkdir()
    if chance.random() < 0.5:
        (new / "00000001.png").write_bytes(b"x")


def more_file(path: Path, chance: Random) -> None:
    _free(path / chance.choice(["x.png", "x.jpg", "x.txt"]), chance).write_bytes(chance.randbytes(20))


def rename_folder(path: Path, chance: Random) -> None:
    path.rename(_free(path.with_name(path.name), chance))


# Archives


def member(path: Path, chance: Random) -> None:
    """Rewrites an archive with one member renamed, doubled, added or lost."""
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    at = chance.randrange(len(members))
    name, content = members[at]
    strange = [
        "../" + name,
        "/" + name,
        name.replace("/", "\\"),
        "__MACOSX/._x",
        ".DS_Store",
        "x/" + name,
        name.upper(),
        "",
    ]
    kind = chance.choice(["rename", "double", "lose", "add", "folder", "content"])
    if kind in ("lose", "rename", "content"):
        members.pop(at)
    if kind in ("rename", "add"):
        members.append((chance.choice(strange), content))
    if kind == "content":
        members.append((name, chance.randbytes(50)))
    if kind == "folder":
        members.append((chance.choice(["empty/", name + "/"]), b""))
    if kind == "double":
        members.append(members[0])
    _write_zip(path, members)


def _write_zip(path: Path, members: list[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            archive.NameToInfo.pop(name, None)  # doubles are wanted, without zipfile's warning
            archive.writestr(info, content)


def no_members(path: Path, chance: Random) -> None:
    _write_zip(path, [])


Way = Callable[[Path, Random], None]
FILE_WAYS: tuple[Way, ...] = (
    truncate, flip, flip, zero, empty, append, noise, remove, into_folder, into_dead_link, into_loop, into_pipe,
    rename, double, other_suffix, forbid, another_file,
)  # fmt: skip
IMAGE_WAYS: tuple[Way, ...] = (resize, resize, other_mode, other_mode, other_values, other_values, animate, huge)
TEXT_WAYS: tuple[Way, ...] = (bad_line, bad_line, repeat_line, lose_line, other_encoding)
JSON_WAYS: tuple[Way, ...] = (json_value, json_value, json_value, json_other, other_encoding)
FOLDER_WAYS: tuple[Way, ...] = (
    lose_folder, empty_folder, folder_into_file, folder_into_loop, more_folder, more_file, rename_folder,
)  # fmt: skip
ZIP_WAYS: tuple[Way, ...] = (member, member, member, member, no_members)
