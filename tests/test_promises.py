"""What the 34 tests of weft's Django integration promise its users, and where it is proved here.

``docs/from-weft.md`` says which name is which. Four of its tests are about its own insides; what
a user has of them stands beside their names.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

PROMISES: dict[str, tuple[str, ...]] = {
    # What is carried: JSON that comes back as it was, or is refused at the call.
    "payload_override_copy_rejects_invalid_json_round_trip_type": (
        "tasks/test_values.py::test_refused_as_an_argument",
        "tasks/test_values.py::test_metadata_that_no_database_takes",
    ),
    "payload_overrides_reject_invalid_private_spec_type": (
        "tasks/specs/test_faults.py::test_all_that_is_wrong_is_said_at_the_call",
    ),
    # The end of a run is told by its row, which stays.
    "status_uses_terminal_snapshot_not_diagnostic_snapshot": (
        "tasks/handles/test_handle.py::test_a_result_of_what_failed",
        "tasks/handles/test_handle.py::test_in_sync_code",
    ),
    "status_returns_monitor_store_terminal_snapshot": (
        "tasks/handles/test_handle.py::test_a_result_can_be_read_any_number_of_times",
    ),
    "registry_autodiscovers_fixture_tasks": (
        "tasks/definition/test_registry.py::test_those_of_apps_are_found_when_django_starts",
    ),
    "task_registry_rejects_duplicate_names": (
        "tasks/definition/test_taskoptions.py::test_one_name_for_two_functions_names_both_places",
        "tasks/test_task.py::test_two_functions_of_one_name_are_refused",
    ),
    "decorated_task_enqueue_returns_richer_submission_handle": (
        "tasks/handles/test_handle.py::test_in_sync_code",
        "tasks/handles/test_handle.py::test_by_id_and_by_name",
    ),
    "submission_wrapper_stop_and_kill_delegate": (
        "tasks/handles/test_handle.py::test_kill_ends_what_does_not_listen",
        "tasks/handles/test_handle.py::test_stop_and_kill_are_refused_once_it_has_finished",
        "tasks/engine/executing/test_executing.py::test_stop_a_coroutine",
        "tasks/runners/test_process.py::test_a_stop_is_asked_for",
    ),
    "enqueue_on_commit_defers_submission_until_commit": (
        "tasks/handles/test_deferred.py::test_bound_by_the_commit",
        "tasks/handles/test_enqueueing.py::test_by_name_with_the_commit",
    ),
    "enqueue_on_commit_rollbacks_do_not_bind": (
        "tasks/handles/test_deferred.py::test_a_rollback_never_binds",
        "tasks/specs/test_deferred.py::test_a_rollback_takes_it_back",
    ),
    "deferred_submit_rejects_wait_true": (
        "tasks/specs/test_deferred.py::test_it_waits_for_nothing",
        "tasks/handles/test_deferred.py::test_what_is_wrong_fails_at_the_call_and_before_the_commit",
    ),
    "deferred_native_submission_validates_unknown_overrides_before_commit": (
        "tasks/specs/test_deferred.py"
        "::test_a_parameter_that_there_is_not_is_said_before_the_commit",
        "tasks/definition/test_taskoptions.py::test_an_override_that_there_is_not",
    ),
    "deferred_spec_reference_validates_missing_reference_before_commit": (
        "tasks/specs/test_deferred.py::test_what_is_wrong_is_said_before_the_commit",
    ),
    "deferred_native_payload_is_snapshotted_at_registration": (
        "tasks/specs/test_deferred.py::test_it_is_there_after_the_commit_as_it_was_at_the_call",
    ),
    "deferred_decorated_payload_is_snapshotted_at_registration": (
        "tasks/handles/test_deferred.py::test_later_changes_of_the_arguments_change_nothing",
    ),
    "native_taskspec_submission_helper_accepts_payload": (
        "tasks/specs/test_submit.py::test_a_payload_comes_as_it_is",
    ),
    "native_spec_and_pipeline_helpers_accept_payload": (
        "tasks/specs/test_submit.py::test_a_bundle_brings_its_modules",
        "tasks/specs/test_submit.py::test_a_pipeline_of_specs",
    ),
    "native_spec_helper_executes_declared_spec_args": (
        "tasks/specs/test_submit.py::test_by_reference_with_its_options",
        "tasks/specs/test_commands.py::test_commands",
    ),
    "native_helpers_reject_legacy_payload_names": (
        "tasks/specs/test_faults.py::test_all_that_is_wrong_is_said_at_the_call",
        "tasks/pipelines/test_pipeline.py::test_other_names_of_the_payload_are_refused_with_a_hint",
        "tasks/specs/test_deferred.py::test_it_waits_for_nothing",
    ),
    "request_id_is_captured_at_enqueue_time_for_on_commit_submission": (
        "tasks/surroundings/test_request_ids.py::test_with_a_commit_it_is_that_of_the_call",
    ),
    "as_taskspec_for_call_applies_public_submit_overrides": (
        "tasks/definition/test_description.py::test_what_it_says",
        "tasks/definition/test_description.py::test_submitting_it_stores_what_enqueueing_would",
    ),
    "context_override_ignores_unrelated_weft_env": (
        "asgi_app/test_settings.py::test_variables_of_others_change_nothing",
        "tasks/settings/test_places.py::test_specs_are_found_wherever_the_process_began",
    ),
    "explicit_context_wins_even_with_core_env_override": (
        "asgi_app/test_settings.py::test_what_a_project_says_for_good_is_not_overridden",
        "tasks/settings/test_places.py::test_what_the_setting_names_comes_first",
    ),
    "http_detail_and_sse_views_are_read_only_diagnostics": (
        "consumers/test_readonly.py::test_they_show_a_run",
        "consumers/test_readonly.py::test_they_do_nothing",
        "consumers/streams/test_sse.py::test_watching_changes_nothing",
    ),
    "sse_stream_emits_stdout_and_stderr_events_without_consuming_result": (
        "e2e/test_output.py::test_both_streams_are_told_apart_and_the_value_stays",
    ),
    "http_views_handle_invalid_and_unknown_tids_cleanly": (
        "consumers/streams/test_sse_refusals.py::test_no_such_run",
        "consumers/streams/test_sse_refusals.py::test_no_run_id",
        "consumers/views/test_api.py::test_looking_for_what_is_not_there",
    ),
    "http_views_enforce_authorization": (
        "consumers/test_readonly.py::test_who_is_denied_sees_nothing",
        "consumers/access/test_auth.py::test_every_way_in_is_denied",
    ),
    "task_events_view_respects_transport_setting": (
        "consumers/test_offered.py::test_what_is_switched_off_is_not_there",
    ),
    "url_import_requires_authz_setting": (
        "consumers/test_readonly.py::test_without_a_rule_they_cannot_be_included",
    ),
    "transport_validation": ("tasks/settings/test_realtime.py::test_a_bad_offer_is_named",),
    # Channels is always there: what is told is whether its layer can be used.
    "channels_module_matches_install_state": (
        "consumers/test_checks.py::test_a_missing_layer_is_named",
        "consumers/test_checks.py::test_a_layer_that_is_not_there",
    ),
    "channels_connect_returns_before_follow_stream_finishes": (
        "consumers/streams/test_websocket.py::test_a_run_from_its_first_event_to_its_last",
        "consumers/streams/test_sse.py::test_the_first_bytes_do_not_wait_for_an_event",
    ),
    "channels_stream_cancellation_propagates_after_iterator_close": (
        "consumers/streams/test_websocket.py::test_disconnecting_releases_everything",
        "consumers/streams/test_sse.py::test_disconnecting_releases_everything",
    ),
    "management_commands_wrap_the_same_client_surface": (
        "tasks/cli/test_show.py::test_all_of_it",
        "tasks/cli/test_show.py::test_no_such_run",
        "tasks/cli/test_ending.py::test_one_that_waits",
        "tasks/cli/test_ending.py::test_one_that_there_is_not",
    ),
}


@cache
def functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def test_they_are_all_of_them() -> None:
    assert len(PROMISES) == 34


@pytest.mark.parametrize("promise", PROMISES)
def test_it_is_proved_by_tests_that_are_there(promise: str) -> None:
    assert PROMISES[promise]
    for place in PROMISES[promise]:
        file, _, name = place.partition("::")
        assert name in functions(TESTS / file), f"{promise}: no {place}"
