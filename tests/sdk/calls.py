"""A call of the SDK for every operation that the stand-in platform has, with what it needs."""

from typing import Any

from gateway.standin.platform import seed
from gateway.standin.platform.authorization import MASTER_ADMIN
from gateway.standin.platform.store import guid

__all__ = ["CALLS", "INTERVAL"]

INTERVAL = "2026-01-01T00:00:00.000Z/2026-01-02T12:00:00.000Z"
START, END = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"

QUEUE = {"queue_id": seed.SUPPORT_QUEUE}
CODE = {"code_id": seed.WRAP_UP_CODE}
USER = {"user_id": seed.USER}
LIST = {"contact_list_id": seed.SURVEY_LIST}
CONTACT = {**LIST, "contact_id": seed.CONTACT}
CAMPAIGN = {"campaign_id": seed.CAMPAIGN}
ALERT = {"alert_id": seed.ALERT}
RULE = {"rule_id": seed.RULE}
SOURCE = {"source_id": seed.SOURCE}
EDGE = {"edge_id": seed.EDGE}
SITE = {"site_id": guid("site Berlin")}
DIVISION = {"division_id": seed.SALES}
ROLE = {"role_id": MASTER_ADMIN}

DATA = {"id": "9", "phone": "+15550109", "name": "Nine", "survey": "web"}
ON_QUEUE = {
    "type": "and",
    "predicates": [{"type": "dimension", "dimension": "queueId", "value": seed.SUPPORT_QUEUE}],
}
OF_USER = {
    "type": "or",
    "predicates": [{"type": "dimension", "dimension": "userId", "value": seed.USER}],
}
DETAILS = {
    "interval": INTERVAL,
    "segmentFilters": [ON_QUEUE],
    "paging": {"pageSize": 5, "pageNumber": 1},
}
AGGREGATES = {
    "interval": INTERVAL,
    "groupBy": ["queueId", "mediaType"],
    "metrics": ["nConnected", "tTalk"],
}
NAMED = {"name": "A new one"}
DIVIDED = {"name": "A new one", "division": {"id": seed.SALES}}

CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    # --- routing
    ("RoutingApi", "get_routing_queues", {"page_size": 2, "page_number": 2, "division_id": ["*"]}),
    ("RoutingApi", "post_routing_queues", {"body": DIVIDED}),
    ("RoutingApi", "get_routing_queue", QUEUE),
    ("RoutingApi", "put_routing_queue", {**QUEUE, "body": {"description": "new"}}),
    ("RoutingApi", "delete_routing_queue", QUEUE),
    ("RoutingApi", "get_routing_queue_members", QUEUE),
    ("RoutingApi", "post_routing_queue_members", {**QUEUE, "body": [{"id": seed.USER}]}),
    ("RoutingApi", "get_routing_queue_comparisonperiods", QUEUE),
    ("RoutingApi", "get_routing_queue_wrapupcodes", QUEUE),
    ("RoutingApi", "get_routing_queues_divisionviews", {}),
    ("RoutingApi", "get_routing_utilization", {}),
    ("RoutingApi", "put_routing_utilization", {"body": {"utilization": {"call": {"maximumCapacity": 2}}}}),
    ("RoutingApi", "delete_routing_utilization", {}),
    ("RoutingApi", "get_routing_wrapupcodes", {}),
    ("RoutingApi", "post_routing_wrapupcodes", {"body": DIVIDED}),
    ("RoutingApi", "get_routing_wrapupcode", CODE),
    ("RoutingApi", "put_routing_wrapupcode", {**CODE, "body": NAMED}),
    ("RoutingApi", "delete_routing_wrapupcode", CODE),
    ("RoutingApi", "get_routing_skills", {}),
    ("RoutingApi", "get_routing_skill", {"skill_id": guid("skill German")}),
    # --- users
    ("UsersApi", "get_users", {}),
    ("UsersApi", "post_users", {"body": {"name": "Kim", "email": "kim@x.example", "divisionId": seed.SALES}}),
    ("UsersApi", "post_users_search", {"body": {"query": [{"type": "EXACT", "fields": ["divisionId"], "value": seed.SALES}]}}),
    ("UsersApi", "get_user", USER),
    ("UsersApi", "patch_user", {**USER, "body": {"version": 1, "title": "Lead"}}),
    ("UsersApi", "delete_user", USER),
    ("UsersApi", "get_user_station", USER),
    # --- outbound
    ("OutboundApi", "get_outbound_contactlists", {"include_size": True}),
    ("OutboundApi", "post_outbound_contactlists", {"body": {**DIVIDED, "columnNames": ["phone"], "phoneColumns": [{"columnName": "phone", "type": "cell"}]}}),
    ("OutboundApi", "delete_outbound_contactlists", {"id": [seed.SURVEY_LIST]}),
    ("OutboundApi", "get_outbound_contactlists_divisionviews", {}),
    ("OutboundApi", "get_outbound_contactlist", LIST),
    ("OutboundApi", "put_outbound_contactlist", {**LIST, "body": {"name": "Renamed", "version": 1}}),
    ("OutboundApi", "delete_outbound_contactlist", LIST),
    ("OutboundApi", "post_outbound_contactlist_clear", LIST),
    ("OutboundApi", "post_outbound_contactlist_contacts", {**LIST, "body": [{"data": DATA}], "do_not_queue": True}),
    ("OutboundApi", "delete_outbound_contactlist_contacts", {**LIST, "contact_ids": [seed.CONTACT]}),
    ("OutboundApi", "post_outbound_contactlist_contacts_bulk", {**LIST, "body": [seed.CONTACT]}),
    ("OutboundApi", "post_outbound_contactlist_contacts_search", {**LIST, "body": {"pageSize": 2, "pageNumber": 1}}),
    ("OutboundApi", "get_outbound_contactlist_contact", CONTACT),
    ("OutboundApi", "put_outbound_contactlist_contact", {**CONTACT, "body": {"data": DATA, "callable": False}}),
    ("OutboundApi", "delete_outbound_contactlist_contact", CONTACT),
    ("OutboundApi", "get_outbound_campaigns", {}),
    ("OutboundApi", "post_outbound_campaigns", {"body": {**DIVIDED, "contactList": {"id": seed.SURVEY_LIST}, "dialingMode": "agentless"}}),
    ("OutboundApi", "get_outbound_campaign", CAMPAIGN),
    ("OutboundApi", "put_outbound_campaign", {**CAMPAIGN, "body": NAMED}),
    ("OutboundApi", "delete_outbound_campaign", CAMPAIGN),
    ("OutboundApi", "post_outbound_campaign_start", CAMPAIGN),
    ("OutboundApi", "post_outbound_campaign_stop", CAMPAIGN),
    # --- analytics
    ("ConversationsApi", "post_analytics_conversations_details_query", {"body": DETAILS}),
    ("ConversationsApi", "get_analytics_conversations_details", {"id": [seed.CONVERSATION]}),
    ("ConversationsApi", "get_analytics_conversation_details", {"conversation_id": seed.CONVERSATION}),
    ("ConversationsApi", "get_analytics_conversations_details_jobs_availability", {}),
    ("ConversationsApi", "post_analytics_conversations_aggregates_query", {"body": AGGREGATES}),
    ("ConversationsApi", "get_conversation", {"conversation_id": seed.CONVERSATION}),
    ("AnalyticsApi", "post_analytics_users_details_query", {"body": {"interval": INTERVAL, "userFilters": [OF_USER]}}),
    ("AnalyticsApi", "get_analytics_users_details_jobs_availability", {}),
    ("AnalyticsApi", "post_analytics_users_aggregates_query", {"body": {**AGGREGATES, "groupBy": ["userId"]}}),
    ("AnalyticsApi", "post_analytics_transcripts_aggregates_query", {"body": AGGREGATES}),
    ("RoutingApi", "post_analytics_queues_observations_query", {"body": {"filter": ON_QUEUE, "metrics": ["oWaiting", "oInteracting"]}}),
    ("AnalyticsApi", "post_analytics_users_observations_query", {"body": {"filter": OF_USER, "metrics": ["oUserRoutingStatuses"]}}),
    ("AnalyticsApi", "get_analytics_reporting_exports", {}),
    ("AnalyticsApi", "get_analytics_reporting_exports_metadata", {}),
    ("AnalyticsApi", "post_analytics_reporting_exports", {"body": {"name": "Queues", "timeZone": "UTC", "exportFormat": "CSV", "interval": INTERVAL, "viewType": "QUEUE_PERFORMANCE_SUMMARY_VIEW"}}),
    # --- alerting
    ("AlertingApi", "post_alerting_alerts_query", {}),
    ("AlertingApi", "get_alerting_alert", ALERT),
    ("AlertingApi", "put_alerting_alert", {**ALERT, "body": {"unread": False}}),
    ("AlertingApi", "patch_alerting_alert", {**ALERT, "body": {"muted": True}}),
    ("AlertingApi", "delete_alerting_alert", ALERT),
    ("AlertingApi", "post_alerting_rules_query", {}),
    ("AlertingApi", "post_alerting_rules", {"body": NAMED}),
    ("AlertingApi", "get_alerting_rule", RULE),
    ("AlertingApi", "put_alerting_rule", {**RULE, "body": {"enabled": False}}),
    ("AlertingApi", "delete_alerting_rule", RULE),
    # --- presence
    ("PresenceApi", "get_presence_sources", {}),
    ("PresenceApi", "post_presence_sources", {"body": NAMED}),
    ("PresenceApi", "get_presence_source", SOURCE),
    ("PresenceApi", "put_presence_source", {**SOURCE, "body": {"description": "new"}}),
    ("PresenceApi", "delete_presence_source", SOURCE),
    ("PresenceApi", "get_presence_user_primarysource", USER),
    ("PresenceApi", "put_presence_user_primarysource", {**USER, "body": {"sourceId": seed.SOURCE}}),
    # --- telephony
    ("TelephonyProvidersEdgeApi", "get_telephony_providers_edges", {}),
    ("TelephonyProvidersEdgeApi", "post_telephony_providers_edges", {"body": DIVIDED}),
    ("TelephonyProvidersEdgeApi", "get_telephony_providers_edge", EDGE),
    ("TelephonyProvidersEdgeApi", "put_telephony_providers_edge", {**EDGE, "body": NAMED}),
    ("TelephonyProvidersEdgeApi", "delete_telephony_providers_edge", EDGE),
    ("TelephonyProvidersEdgeApi", "post_telephony_providers_edge_reboot", EDGE),
    ("TelephonyProvidersEdgeApi", "get_telephony_providers_edges_sites", {}),
    ("TelephonyProvidersEdgeApi", "post_telephony_providers_edges_sites", {"body": NAMED}),
    ("TelephonyProvidersEdgeApi", "get_telephony_providers_edges_site", SITE),
    ("TelephonyProvidersEdgeApi", "put_telephony_providers_edges_site", {**SITE, "body": NAMED}),
    ("TelephonyProvidersEdgeApi", "delete_telephony_providers_edges_site", SITE),
    ("TelephonyProvidersEdgeApi", "get_telephony_providers_edges_trunks", {}),
    ("TelephonyProvidersEdgeApi", "get_telephony_providers_edges_trunk", {"trunk_id": guid("trunk Carrier")}),
    ("TelephonyProvidersEdgeApi", "get_telephony_providers_edges_phones", {}),
    ("TelephonyProvidersEdgeApi", "get_telephony_providers_edges_phone", {"phone_id": guid("phone Anna's desk")}),
    ("TelephonyProvidersEdgeApi", "delete_telephony_providers_edges_phone", {"phone_id": guid("phone Anna's desk")}),
    ("StationsApi", "get_stations", {}),
    ("StationsApi", "get_station", {"station_id": seed.STATION}),
    ("StationsApi", "delete_station_associateduser", {"station_id": seed.STATION}),
    ("TelephonyApi", "get_telephony_siptraces", {"date_start": START, "date_end": END}),
    ("TelephonyApi", "post_telephony_siptraces_download", {"sip_search_public_request": {"dateStart": START, "dateEnd": END}}),
    # --- licences, notifications, the organization
    ("BillingApi", "get_billing_reports_billableusage", {"start_date": START, "end_date": END}),
    ("LicenseApi", "get_license_definitions", {}),
    ("LicenseApi", "get_license_definition", {"license_id": "cx3"}),
    ("LicenseApi", "get_license_users", {}),
    ("LicenseApi", "get_license_user", USER),
    ("NotificationsApi", "get_notifications_channels", {}),
    ("NotificationsApi", "post_notifications_channels", {}),
    ("TokensApi", "get_tokens_me", {}),
    ("TokensApi", "head_tokens_me", {}),
    ("TokensApi", "delete_tokens_me", {}),
    ("OAuthApi", "get_oauth_clients", {}),
    ("OrganizationApi", "get_organizations_me", {}),
    # --- authorization
    ("AuthorizationApi", "get_authorization_divisions", {}),
    ("AuthorizationApi", "post_authorization_divisions", {"body": NAMED}),
    ("AuthorizationApi", "get_authorization_divisions_home", {}),
    ("AuthorizationApi", "get_authorization_division", DIVISION),
    ("AuthorizationApi", "put_authorization_division", {**DIVISION, "body": NAMED}),
    ("AuthorizationApi", "delete_authorization_division", DIVISION),
    ("AuthorizationApi", "get_authorization_roles", {}),
    ("AuthorizationApi", "post_authorization_roles", {"body": {**NAMED, "permissionPolicies": [{"domain": "routing", "entityName": "queue", "actionSet": ["view"]}]}}),
    ("AuthorizationApi", "get_authorization_role", ROLE),
    ("AuthorizationApi", "put_authorization_role", {**ROLE, "body": {**NAMED, "permissionPolicies": []}}),
    ("AuthorizationApi", "patch_authorization_role", {**ROLE, "body": NAMED}),
    ("AuthorizationApi", "get_authorization_subjects_me", {}),
    ("AuthorizationApi", "get_authorization_divisionspermitted_paged_me", {"permission": "routing:queue:view"}),
)  # fmt: skip
