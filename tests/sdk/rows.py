"""What the two integrations call, each call with what becomes of it: tables, to be read.

`both` is the code of the refusal with scopes asked for, `roles` without; nothing where the call is
let through. `lists` is what a refusal names.
"""

from typing import Any, NamedTuple

from gateway.standin.platform.store import guid
from tests.sdk.calls import CALLS

__all__ = ["MINDFUL", "VSM", "Row", "arguments_of"]

ALLOWED = ""
ALL, ANY, SCOPE = "missing.permissions", "missing.any.permissions", "app.not.authorized.for.scope"

_CALLS = {method: (api, arguments) for api, method, arguments in CALLS}
_NOT_THERE = {
    "delete_analytics_transcripts_aggregates_job": ("AnalyticsApi", {"job_id": guid("job")}),
    "get_knowledge_knowledgebase": ("KnowledgeApi", {"knowledge_base_id": guid("base")}),
    "post_oauth_clients": ("OAuthApi", {"body": {"name": "Mine"}}),
    "post_analytics_conversations_details_jobs": (
        "ConversationsApi",
        _CALLS["post_analytics_conversations_details_query"][1] | {},
    ),
}


class Row(NamedTuple):
    """One call, by its name in the SDK."""

    method: str
    both: str
    roles: str
    lists: str = ""

    def verdict(self, *, scopes: bool = True) -> tuple[str, str]:
        """The code of the refusal and what it lists, or twice nothing."""
        code = self.both if scopes else self.roles
        return code, self.lists if code else ""


def arguments_of(method: str) -> tuple[str, dict[str, Any]]:
    """The SDK's class and the arguments for this call."""
    return _CALLS.get(method) or _NOT_THERE[method]


VSM: tuple[Row, ...] = (
    Row("get_alerting_alert", ALLOWED, ALLOWED),
    Row("post_alerting_alerts_query", ALLOWED, ALLOWED),
    Row("post_alerting_rules_query", ALLOWED, ALLOWED),
    Row("put_alerting_rule", ALL, ALL, "[alerting:rule:edit]"),
    Row("delete_alerting_rule", ALL, ALL, "[alerting:rule:delete]"),
    Row("post_analytics_conversations_details_query", ALLOWED, ALLOWED),
    Row("post_analytics_conversations_details_jobs", ALLOWED, ALLOWED),
    Row("post_analytics_conversations_aggregates_query", ANY, ANY, "[analytics:conversationAggregate:view]"),
    Row("get_analytics_reporting_exports", ALLOWED, ALLOWED),
    Row("post_analytics_reporting_exports", ALL, ALL, "[analytics:dataExport:add]"),
    Row("post_analytics_queues_observations_query", ALLOWED, ALLOWED),
    Row("post_analytics_transcripts_aggregates_query", ALLOWED, ALLOWED),
    Row("delete_analytics_transcripts_aggregates_job", SCOPE, ALLOWED, "[analytics]"),
    Row("post_analytics_users_details_query", ALLOWED, ALLOWED),
    Row("post_analytics_users_observations_query", ALLOWED, ALLOWED),
    Row("post_analytics_users_aggregates_query", ANY, ANY, "[analytics:userAggregate:view]"),
    Row("get_billing_reports_billableusage", SCOPE, ALLOWED, "[billing:readonly]"),
    Row("get_presence_sources", ALLOWED, ALLOWED),
    Row("put_presence_source", ALL, ALL, "[presence:source:edit]"),
    Row("get_presence_user_primarysource", ALLOWED, ALLOWED),
    Row("put_presence_user_primarysource", ALL, ALL, "[presence:userPrimarySource:edit]"),
    Row("get_routing_queues", ALLOWED, ALLOWED),
    Row("get_routing_queue", ALLOWED, ALLOWED),
    Row("get_routing_queue_members", ALLOWED, ALLOWED),
    Row("get_routing_queue_comparisonperiods", ALL, ALL, "[routing:comparisonPeriod:view]"),
    Row("get_routing_queues_divisionviews", ALL, ALL, "[routing:queue:search]"),
    Row("post_routing_queues", ANY, ANY, "[routing:queue:add]"),
    Row("delete_routing_queue", ALL, ALL, "[routing:queue:delete]"),
    Row("get_routing_utilization", ALLOWED, ALLOWED),
    Row("put_routing_utilization", ALL, ALL, "[routing:utilization:manage]"),
    Row("get_routing_wrapupcodes", ALLOWED, ALLOWED),
    Row("delete_routing_wrapupcode", ALL, ALL, "[routing:wrapupCode:delete]"),
    Row("get_telephony_siptraces", ALLOWED, ALLOWED),
    Row("post_telephony_siptraces_download", ALL, ALL, "[telephony:pcap:add]"),
    Row("get_telephony_providers_edges", ALLOWED, ALLOWED),
    Row("delete_telephony_providers_edge", SCOPE, ALLOWED, "[telephony]"),
    Row("delete_station_associateduser", SCOPE, ALLOWED, "[stations]"),
    Row("get_user_station", ANY, ANY, "[telephony:otherStationAssociation:view]"),
    Row("get_stations", ALLOWED, ALLOWED),
    Row("get_users", ALLOWED, ALLOWED),
    Row("post_users", ANY, ANY, "[directory:user:add]"),
    Row("get_license_users", ALLOWED, ALLOWED),
    Row("get_license_definitions", ANY, ANY, "[authorization:grant:add, authorization:license:view]"),
    Row("get_notifications_channels", SCOPE, ALLOWED, "[notifications]"),
    Row("get_conversation", ANY, ANY, "[conversation:communication:view]"),
    Row("post_authorization_roles", ANY, ANY, "[authorization:role:add]"),
    Row("post_oauth_clients", ANY, ANY, "[oauth:client:add]"),
    Row("get_tokens_me", ALLOWED, ALLOWED),
    Row("get_knowledge_knowledgebase", ALL, ALL, "[knowledge:knowledgebase:view]"),
    Row("post_outbound_contactlist_contacts", ANY, ANY, "[outbound:contact:add]"),
)  # fmt: skip

MINDFUL: tuple[Row, ...] = (
    Row("post_outbound_contactlist_contacts", ALLOWED, ALLOWED, "[outbound:contact:add]"),
    Row("put_outbound_contactlist_contact", ANY, ANY, "[outbound:contact:edit]"),
    Row("delete_outbound_contactlist_contact", ANY, ANY, "[outbound:contact:delete]"),
    Row("post_outbound_contactlist_contacts_bulk", ANY, ANY, "[outbound:contact:view]"),
    Row("get_outbound_contactlists", ANY, ANY, "[outbound:contactList:view]"),
    Row("post_outbound_contactlists", ANY, ANY, "[outbound:contactList:add]"),
    Row("post_outbound_campaigns", ANY, ANY, "[outbound:campaign:add]"),
    Row("get_routing_queues", ALLOWED, ALLOWED),
    Row("get_routing_wrapupcodes", ALLOWED, ALLOWED),
    Row("post_users_search", ALLOWED, ALLOWED),
    Row("patch_user", ANY, ANY, "[admin, directory:organization:admin, directory:user:edit]"),
    Row("get_telephony_providers_edges", ANY, ANY, "[telephony:plugin:all]"),
)  # fmt: skip
