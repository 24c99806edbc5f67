from asdkit.data.problems import Report, check_table, read_text_lines


def test_all_entries_that_can_be_read_are_returned(tmp_path):
    path = tmp_path / "utt2dur"
    path.write_text("b 1.5\n\na 2\nb 1.5\nb 3\nc\nd -1\ne 1e-2\n")
    report = Report()
    table = check_table(path, report)
    assert {key: tuple(entry) for key, entry in table.items()} == {
        "b": (1, "1.5"),
        "a": (3, "2"),
        "c": (6, ""),
        "d": (7, "-1"),
        "e": (8, "1e-2"),
    }
    assert [problem.line for problem in report.problems()] == [2, 3, 4, 5, 6, 7]


def test_bytes_that_are_not_utf8_survive(tmp_path):
    (tmp_path / "text").write_bytes(b"a \xff\r\nb \xc3\xa4")
    report = Report()
    lines = read_text_lines(tmp_path / "text", report)
    assert "\n".join(lines).encode(errors="surrogateescape") == b"a \xff\nb \xc3\xa4"
    assert [problem.line for problem in report.problems()] == [2, 1, 1]


def test_a_report_shows_three_of_a_sort_and_counts_all(tmp_path):
    report = Report()
    for n in range(1, 6):
        report.add(tmp_path, n, "sort", f"problem {n}", "cure")
        report.add(tmp_path / "x", 0, "sort", "other", "cure")
    assert report.num_problems == 10
    shown = [str(problem) for problem in report.problems()]
    assert len(shown) == 6
    assert shown[0] == f"{tmp_path}:1: problem 1\n  cure: cure"
    assert (
        shown[4] == f"{tmp_path}:3: problem 3 (and 2 more of this sort)\n  cure: cure"
    )
    assert shown[1] == f"{tmp_path}/x: other\n  cure: cure"
