"""What a scrape makes of the files of workers."""

from pathlib import Path

from prometheus_client import generate_latest

from forum.adapters.scrape import Workers, make_registry


def test_a_file_that_a_worker_is_making_right_now_is_let_be(tmp_path: Path) -> None:
    (tmp_path / "histogram_0.db").touch()
    registry = make_registry(Workers("1.0", lambda: 2, tmp_path))
    lines = generate_latest(registry).decode().splitlines()
    assert {line for line in lines if not line.startswith("#")} == {
        'forum_build_info{version="1.0"} 1.0',
        "forum_workers 2.0",
        'forum_cache_answers_total{result="hit"} 0.0',
        'forum_cache_answers_total{result="miss"} 0.0',
    }
