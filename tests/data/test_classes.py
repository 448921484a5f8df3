"""Class tables."""

import io

import pytest
from PIL import Image

from vsscli.data.camvid import camvid_classes
from vsscli.data.classes import IGNORE, ClassTable, vspw_classes
from vsscli.errors import OptionError


def test_the_table_of_vspw() -> None:
    table = vspw_classes()
    assert len(table) == 124
    assert len(set(table.names)) == 124
    assert sum(table.things) == 58
    some = {
        "wall": 0,
        "sea": 35,
        "river": 36,
        "water": 39,
        "person": 60,
        "other_animal": 65,
        "clock": 109,
        "train": 123,
    }
    assert {name: table.index(name) for name in some} == some
    assert [table.index(name) for name in table.names] == list(range(124))
    assert table.colors[0] == (120, 120, 120)
    assert all(0 <= part <= 255 for color in table.colors for part in color)


def test_the_order_of_vspw_is_the_official_one() -> None:
    # over the names of label_num_dic_final.json in the order of their numbers, without "others"
    assert vspw_classes().digest.startswith("d0043b0f717864c1")


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(OptionError, match="no class 'rivver' in the table vspw") as caught:
        vspw_classes().index("rivver")
    assert "Did you mean river" in caught.value.hint
    with pytest.raises(OptionError) as caught:
        vspw_classes().index("qqqqqq")
    assert caught.value.hint == "The table vspw has 124 classes."


@pytest.mark.parametrize("table", [vspw_classes(), camvid_classes()], ids=lambda table: str(table.name))
def test_palettes_hold_the_colours_and_white_for_no_label(table: ClassTable) -> None:
    assert len(table.palette) == 768
    image = Image.new("P", (256, 1))
    image.putdata(list(range(256)))
    image.putpalette(table.palette)
    file = io.BytesIO()
    image.save(file, "PNG")
    rgb = Image.open(file).convert("RGB")
    assert tuple(rgb.getpixel((i, 0)) for i in range(len(table))) == table.colors
    assert rgb.getpixel((IGNORE, 0)) == (255, 255, 255)
    assert rgb.getpixel((IGNORE - 1, 0)) == (0, 0, 0)


def test_tables_with_the_same_names_number_alike() -> None:
    one = ClassTable("a", ("x", "y"), ((0, 0, 0), (1, 1, 1)), (True, False))
    other = ClassTable("b", ("x", "y"), ((9, 9, 9), (8, 8, 8)), (False, False))
    turned = ClassTable("a", ("y", "x"), ((0, 0, 0), (1, 1, 1)), (True, False))
    assert one.digest == other.digest != turned.digest
