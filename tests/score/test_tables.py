"""Tables for a spreadsheet hold the numbers of the result, all digits of them."""

from pathlib import Path

import pandas
import pytest

from tests.score.test_intervals import better, clips, counts_of
from vsscli.runs.disk import DiskError
from vsscli.score.intervals import compare
from vsscli.score.result import describe
from vsscli.score.tables import class_table, comparison_table, video_table, write_tables


def test_tables_hold_the_result(tmp_path: Path) -> None:
    result = describe(counts_of(clips(3)))
    write_tables(tmp_path / "new" / "folder", {"per_class": class_table(result), "per_video": video_table(result)})
    classes = pandas.read_csv(tmp_path / "new" / "folder" / "per_class.csv")
    videos = pandas.read_csv(tmp_path / "new" / "folder" / "per_video.csv")
    assert list(classes.columns) == ["id", "name", "iou", "acc", "truth_pixels", "predicted_pixels", "counted"]
    for row, read in zip(result["per_class"], classes.to_dict("records"), strict=True):
        assert read["name"] == row["name"] and read["truth_pixels"] == row["truth_pixels"]
        assert pandas.isna(read["iou"]) if row["iou"] is None else read["iou"] == row["iou"]
    assert list(videos.columns) == ["video", "frames", "miou", "wiou", "pixel_acc", "class_acc", "vc8", "vc16"]
    assert videos["miou"].tolist() == [row["miou"] for row in result["per_video"]]


def test_the_comparison_has_totals_classes_and_videos() -> None:
    videos = clips(6)
    ours, theirs = counts_of(better(videos, 0.1)), counts_of(videos)
    table = comparison_table(compare(ours, theirs), describe(ours), describe(theirs))
    assert table["scope"].value_counts().to_dict() == {"total": 6, "class": 124, "video": 36}
    total = table[(table["scope"] == "total") & (table["metric"] == "miou")].iloc[0]
    assert total["low"] < total["difference"] < total["high"]
    rest = table[table["scope"] != "total"]
    assert rest["low"].isna().all()
    defined = table.dropna(subset=["difference"])
    assert (defined["difference"] == defined["value"] - defined["against"]).all()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="file/csv cannot be written"):
        write_tables(tmp_path / "file" / "csv", {})
