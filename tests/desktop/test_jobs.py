from __future__ import annotations

import threading

import pytest

from desktop.jobs import Job, JobRunner, State
from engine.types import Cancelled, Progress

WAIT = 10


def test_a_job_gives_back_its_result() -> None:
    runner = JobRunner()
    job = runner.submit(lambda progress, cancelled: 7)
    assert job.wait(WAIT)
    assert job.outcome() == 7
    assert job.snapshot().state is State.DONE
    runner.close()


def test_a_failed_job_gives_back_its_error_and_the_next_one_runs() -> None:
    def fail(progress: Progress, cancelled: Cancelled) -> int:
        raise ValueError("no")

    runner = JobRunner()
    failed = runner.submit(fail)
    after = runner.submit(lambda progress, cancelled: "fine")
    assert after.wait(WAIT)
    assert after.outcome() == "fine"
    assert failed.snapshot().state is State.FAILED
    with pytest.raises(ValueError, match="no"):
        failed.outcome()
    runner.close()


def test_a_paused_job_rests_until_it_may_go_on() -> None:
    begun, counted = threading.Event(), []

    def count(progress: Progress, cancelled: Cancelled) -> int:
        for number in range(1000):
            if number == 10:
                job.pause()
                begun.set()
            if cancelled():
                break
            counted.append(number)
        return len(counted)

    runner = JobRunner()
    started = threading.Event()

    def work(progress: Progress, cancelled: Cancelled) -> int:
        started.wait(WAIT)
        return count(progress, cancelled)

    job = runner.submit(work)
    started.set()
    assert begun.wait(WAIT)
    assert job.snapshot().paused
    assert len(counted) == 10
    job.resume()
    assert job.wait(WAIT)
    assert job.outcome() == 1000
    assert not job.snapshot().paused
    runner.close()


def test_a_paused_job_can_be_cancelled() -> None:
    runner = JobRunner()
    asked = threading.Event()

    def work(progress: Progress, cancelled: Cancelled) -> str:
        while not cancelled():
            asked.set()
        return "ended early"

    job = runner.submit(work)
    assert asked.wait(WAIT)
    job.pause()
    job.cancel()
    assert job.wait(WAIT)
    assert job.outcome() == "ended early"
    runner.close()


def test_jobs_run_one_after_another() -> None:
    running = threading.Semaphore(1)

    def alone(progress: Progress, cancelled: Cancelled) -> bool:
        had = running.acquire(blocking=False)
        threading.Event().wait(0.02)
        running.release()
        return had

    runner = JobRunner()
    jobs = [runner.submit(alone) for _ in range(5)]
    assert all(job.wait(WAIT) and job.outcome() for job in jobs)
    runner.close()


def test_a_quiet_job_gives_way_even_when_it_is_paused_and_others_do_not() -> None:
    asked = threading.Event()

    def until_cancelled(progress: Progress, cancelled: Cancelled) -> str:
        while not cancelled():
            asked.set()
        return "gave way"

    runner = JobRunner()
    quiet = runner.submit(until_cancelled, quiet=True)
    assert asked.wait(WAIT)
    quiet.pause()
    other_quiet = runner.submit(lambda progress, cancelled: "late", quiet=True)
    assert not quiet.wait(0.1)
    wanted = runner.submit(lambda progress, cancelled: "done")
    assert wanted.wait(WAIT)
    assert quiet.outcome() == "gave way"
    assert not quiet.snapshot().cancelling
    assert other_quiet.finished
    runner.close()


def test_a_rest_does_not_count_as_time_that_photos_took() -> None:
    now = [0.0]

    def work(progress: Progress, cancelled: Cancelled) -> bool:
        progress(0, 100)
        now[0] = 1.0
        progress(10, 100)
        job.pause()
        now[0] = 1000.0
        job.resume()
        assert job.snapshot().rate is None
        progress(20, 100)
        now[0] = 1001.0
        progress(30, 100)
        return True

    job = Job(work, clock=lambda: now[0])
    job.run()
    assert job.outcome()
    assert job.snapshot().rate == 10.0


def test_a_waiting_job_says_that_it_waits() -> None:
    release = threading.Event()
    runner = JobRunner()
    runner.submit(lambda progress, cancelled: release.wait(WAIT))
    waiting = runner.submit(lambda progress, cancelled: 1)
    assert waiting.snapshot().state is State.WAITING
    release.set()
    assert waiting.wait(WAIT)
    runner.close()


def test_progress_tells_the_rate_and_the_time_left_from_the_first_report_on() -> None:
    now = [100.0]
    seen = []

    def work(progress: Progress, cancelled: Cancelled) -> bool:
        progress(0, 50)
        seen.append(job.snapshot())
        now[0] = 102.0
        progress(10, 50)
        seen.append(job.snapshot())
        return True

    job = Job(work, clock=lambda: now[0])
    job.run()
    assert (seen[0].done, seen[0].total, seen[0].rate, seen[0].left) == (0, 50, None, None)
    assert (seen[1].done, seen[1].rate, seen[1].left) == (10, 5.0, 8.0)


def test_a_rest_does_not_count_in_the_rate() -> None:
    now = [100.0]
    seen = []

    def work(progress: Progress, cancelled: Cancelled) -> bool:
        progress(0, 50)
        job.pause()
        now[0] = 200.0
        job.resume()
        progress(2, 50)
        now[0] = 202.0
        progress(12, 50)
        seen.append(job.snapshot())
        return True

    job = Job(work, clock=lambda: now[0])
    job.run()
    assert (seen[0].rate, seen[0].left) == (5.0, 7.6)


def test_closing_cancels_the_running_job_and_waits_for_it() -> None:
    begun = threading.Event()

    def until_cancelled(progress: Progress, cancelled: Cancelled) -> str:
        begun.set()
        while not cancelled():
            threading.Event().wait(0.01)
        return "put away"

    runner = JobRunner()
    job = runner.submit(until_cancelled)
    never = runner.submit(until_cancelled)
    assert begun.wait(WAIT)
    runner.close()
    assert job.outcome() == "put away"
    assert not never.finished
    with pytest.raises(RuntimeError):
        runner.submit(until_cancelled)


def test_a_runner_is_busy_with_what_somebody_asked_for() -> None:
    runner, go_on = JobRunner(), threading.Event()
    quiet = runner.submit(lambda progress, cancelled: go_on.wait(WAIT), quiet=True)
    assert not runner.busy
    asked = runner.submit(lambda progress, cancelled: go_on.wait(WAIT))
    assert runner.busy
    go_on.set()
    assert quiet.wait(WAIT)
    assert asked.wait(WAIT)
    assert not runner.busy
    runner.close()
