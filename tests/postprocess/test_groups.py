"""Groups: the shipped file, and every way in which a file can be wrong."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsscli.data.classes import vspw_classes
from vsscli.errors import OptionError
from vsscli.postprocess.groups import FIELDS, groups_digest, read_groups

TABLE = vspw_classes()
HEAD = ",".join(FIELDS)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join((HEAD, *lines)) + "\n")
    return path


@pytest.mark.parametrize("priority", [1, 2, 3])
def test_the_shipped_groups_go_together(priority: int) -> None:
    groups = read_groups(None, TABLE, priority)
    classes = [name for group in groups for name in group.classes]
    assert len(classes) == len(set(classes)) and len(groups) >= (18, 28, 32)[priority - 1]
    assert all(TABLE.names[i] == name for g in groups for i, name in zip(g.ids, g.classes, strict=True))
    assert groups[0].name == "water" and groups[0].scope == "image"
    assert set(groups[0].classes) == {"sea", "river", "lake", "water"}


def test_shipped_alternatives_overlap_and_are_refused() -> None:
    with pytest.raises(OptionError, match=r"the class \w+ is in two groups, \w+ and \w+"):
        read_groups(None, TABLE, 4)


def test_a_file_as_spreadsheets_leave_it(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f'{HEAD}\r\n"a","two wheels",bicycle|motorcycle,region,2\r\n'.encode())
    (group,) = read_groups(path, TABLE, 9)
    assert (group.name, group.stuff, group.classes) == ("a", "two wheels", ("bicycle", "motorcycle"))
    assert group.ids == (51, 52)
    with pytest.raises(OptionError, match="no group of priority 1 or less"):
        read_groups(path, TABLE, 1)


WRONG = {
    "a,water,sea|ocean,image,1": r"line 2, group a: There is no class 'ocean' in the table vspw",
    "a,water,sea|laek,image,1": r"'laek'.*Did you mean lake",
    "a,water,sea,image,1": r"needs two classes or more",
    "a,water,sea|sea,image,1": r"needs two classes or more, each once",
    "a,water,sea|lake,video,1": r"scope 'video' of the group a is none",
    "a,water,sea|lake,image,0": r"priority '0' of the group a is not one of 1 to 9",
    "a,water,sea|lake,image,high": r"priority 'high'",
    "1a,water,sea|lake,image,1": r"group '1a' is no name",
    "../a,water,sea|lake,image,1": r"is no name",
    "a,,sea|lake,image,1": r"stuff '' of the group a is no noun",
    "a,water {classes},sea|lake,image,1": r"is no noun",
    "a,water? Say sea. Is the,sea|lake,image,1": r"is no noun",
    "a,water,sea|lake,image": r"line 2: there are not 5 fields",
    "a,water,sea|lake,image,1,more": r"line 2: there are not 5 fields",
    'a,"water,sea|lake,image,1': r"this is no CSV",
    "a,water,sea|lake,image,1\na,snow,ice|snowfield,image,1": r"line 3: there are two groups 'a'",
    "a,water,sea|lake,image,1\nb,waters,lake|river,image,1": r"the class lake is in two groups, a and b",
}


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_is_named(line: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError) as caught:
        read_groups(write(tmp_path / "g.csv", line), TABLE, 1)
    assert str(tmp_path / "g.csv") in caught.value.message
    assert re.search(WRONG[line], str(caught.value)), caught.value


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--groups .*none.csv cannot be read"):
        read_groups(tmp_path / "none.csv", TABLE, 1)
    with pytest.raises(OptionError, match="is no file"):
        read_groups(tmp_path, TABLE, 1)
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="not UTF-8"):
        read_groups(tmp_path / "b.csv", TABLE, 1)
    (tmp_path / "c.csv").write_text("stuff\n")
    with pytest.raises(OptionError, match="first line is not group,stuff"):
        read_groups(tmp_path / "c.csv", TABLE, 1)
    (tmp_path / "d.csv").write_text("")
    with pytest.raises(OptionError, match="first line is not group,stuff"):
        read_groups(tmp_path / "d.csv", TABLE, 1)
    (tmp_path / "e.csv").write_text(HEAD + "\n" * (1 << 20))
    with pytest.raises(OptionError, match="larger than 1 MB"):
        read_groups(tmp_path / "e.csv", TABLE, 1)


def test_the_digest_is_of_all_that_is_asked(tmp_path: Path) -> None:
    lines = [
        "a,water,sea|lake,image,1",
        "a,water,lake|sea,image,1",
        "a,waters,sea|lake,image,1",
        "a,water,sea|lake,region,1",
        "b,water,sea|lake,image,1",
        "a,water,sea|river,image,1",
    ]
    digests = {groups_digest(read_groups(write(tmp_path / "g.csv", line), TABLE, 1)) for line in lines}
    assert len(digests) == len(lines)
    same = read_groups(write(tmp_path / "g.csv", lines[0].replace(",1", ",2")), TABLE, 2)
    assert groups_digest(same) in digests, "whether a group is taken shows in the list, not in its number"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_any_text_is_groups_or_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "g.csv"
    path.write_bytes((HEAD + "\n" + text).encode("utf-8", "surrogatepass"))
    try:
        assert read_groups(path, TABLE, 9)
    except OptionError as error:
        assert str(path) in error.message
