#include "services/notifier/channel/pagerduty/pagerduty.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "services/notifier/channel/text.h"

namespace liveops::notifier::pagerduty {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSummaryMax = 1024;
constexpr std::size_t kSourceMax = 255;
constexpr std::size_t kTextMax = 1000;
constexpr std::size_t kListMax = 10;

std::string Clean(std::string_view text, std::size_t limit = kTextMax) {
  return CutCharacters(OneLine(text), limit);
}

void SetNumber(Json& to, const char* name, double value) {
  if (std::isfinite(value)) to[name] = value;
}

void SetText(Json& to, const char* name, std::string_view value) {
  if (!value.empty()) to[name] = Clean(value);
}

const char* Action(Notice notice) {
  switch (notice) {
    case Notice::kAcknowledged:
      return "acknowledge";
    case Notice::kResolved:
      return "resolve";
    default:
      return "trigger";
  }
}

Json RemedyDetails(const PageRemedy& remedy, Language language) {
  Json json;
  SetText(json, "what", remedy.description);
  SetText(json, "runs", remedy.command);
  SetText(json, "seen", remedy.condition);
  if (remedy.end != RemedyEnd::kOpen) {  // not there to be approved
    SetText(json, "outcome", SayEnd(language, remedy.end));
    SetText(json, "because", remedy.end_detail);
    SetText(json, "approved_by", remedy.approved_by);
    return json;
  }
  SetText(json, "approver", remedy.approver);
  json["valid_until"] = FormatUtc(ToMs(remedy.expires));
  json["approve"] = ApproveCommand(Clean(remedy.id, 100));
  return json;
}

void AddLists(Json& details, const Page& page, Language language) {
  Json top = Json::array();
  for (std::size_t i = 0; i < page.top.size() && i < kListMax; ++i) {
    top.push_back(Clean(ShareText(language, page.top[i], page.unit)));
  }
  if (!top.empty()) details["top_contributors"] = std::move(top);
  Json changes = Json::array();
  for (std::size_t i = 0; i < page.changes.size() && i < kListMax; ++i) {
    changes.push_back(TimeText(page.changes[i].time) + "  " + Clean(page.changes[i].description));
  }
  if (!changes.empty()) details["recent_changes"] = std::move(changes);
  Json errors = Json::array();
  for (std::size_t i = 0; i < page.error_lines.size() && i < kListMax; ++i) {
    const PageLine& line = page.error_lines[i];
    errors.push_back(TimeText(line.time) + "  " +
                     (line.endpoint.empty() ? "" : Clean(line.endpoint, 80) + "  ") +
                     Clean(line.message, 300));
  }
  if (!errors.empty()) details["last_errors"] = std::move(errors);
  Json traces = Json::array();
  for (std::size_t i = 0; i < page.traces.size() && i < kListMax; ++i) {
    const PageTrace& trace = page.traces[i];
    traces.push_back(Clean(trace.trace_id, 32) + "  " +
                     (trace.operation.empty() ? "" : Clean(trace.operation, 80) + "  ") +
                     Clean(TraceText(language, trace), 100) + "  " + TimeText(trace.time));
  }
  if (!traces.empty()) details["traces"] = std::move(traces);
  if (page.remedies.empty()) return;
  const PageRemedy& first = page.remedies.front();
  details["remediation"] = RemedyDetails(first, language);
  // Once more at the top level, where a phone shows it without unfolding.
  if (first.end == RemedyEnd::kOpen) {
    details["approve_command"] = ApproveCommand(Clean(first.id, 100));
  }
  for (std::size_t i = 1; i < page.remedies.size() && i < kListMax; ++i) {
    details["more_remediations"].push_back(RemedyDetails(page.remedies[i], language));
  }
}

void AddLink(Json& body, const std::string& url, const char* text) {
  const std::string link = SafeLink(url);
  if (!link.empty()) body["links"].push_back({{"href", link}, {"text", text}});
}

Json Details(const Page& page, Language language) {
  Json details;
  SetText(details, "description", page.summary);
  details["alarm_id"] = Clean(page.alarm_id);
  SetText(details, "expression", page.expression);
  SetNumber(details, "value", page.value);
  if (std::isfinite(page.value_low) && page.value_low != page.value_high) {
    SetNumber(details, "value_low", page.value_low);
    SetNumber(details, "value_high", page.value_high);
  }
  if (page.origin.empty()) {
    SetNumber(details, "threshold", page.threshold);
    details["comparison"] = Clean(page.comparison);
    details["unit"] = Clean(page.unit);
    details["window"] = FormatDuration(page.window);
    details["hold"] = FormatDuration(page.hold);
    details["events"] = page.points;
  } else {
    details["told_by"] = Clean(page.origin);
    SetText(details, "judged_at", page.link);
    details["last_told"] = FormatUtc(ToMs(page.heard));
  }
  details["since"] = FormatUtc(ToMs(page.since));
  SetText(details, "reason", page.reason);
  if (page.severity_before) {
    details["severity_before"] = SaySeverity(language, *page.severity_before);
  }
  if (page.groups_refused > 0) {
    details["groups_refused"] = page.groups_refused;
    SetText(details, "limit", SayRefused(language, page));
  }
  SetText(details, "flapping", SayFlapping(language, page));
  SetText(details, "owner", page.owner);
  details["respond"] = SayResponse(language, page);
  if (page.notice == Notice::kResolved) {
    SetNumber(details, "recovered_value", page.value);
    SetNumber(details, "peak", page.peak);
    details["duration"] = FormatElapsed(page.duration);
    details["duration_ms"] = page.duration.count();
  }
  SetText(details, "acknowledged_by", page.acknowledged_by);
  AddLists(details, page, language);
  SetText(details, "runbook", page.runbook);
  details["acknowledge_command"] = AcknowledgeCommand(Clean(page.alarm_id));
  details["plan_version"] = page.plan_version;
  details["clock_real_ms"] = ToMs(page.clock_real);
  details["episode_ms"] = ToMs(page.episode);
  return details;
}

}  // namespace

const char* SeverityWord(plan::Severity severity) {
  switch (severity) {
    case plan::Severity::kCritical:
      return "critical";
    case plan::Severity::kHigh:
      return "error";
    case plan::Severity::kMedium:
      return "warning";
    case plan::Severity::kLow:
      return "info";
  }
  return "critical";
}

std::string Render(const Page& page, Language language, std::string_view routing_key) {
  // The alert's title stays the alarm's own when a proposal, or its end, is added to it.
  Page titled = page;
  if (page.notice == Notice::kRemedyProposed || page.notice == Notice::kRemedyClosed) {
    titled.notice = OpeningOf(page.phase);
  }
  std::string summary = Headline(titled, language);
  const std::string second = SecondHeadline(titled, language);
  if (!second.empty()) summary += " | " + second;

  Json payload;
  payload["summary"] = CutCharacters(summary, kSummaryMax);
  payload["source"] = Clean(page.service.empty() ? "liveops" : page.service, kSourceMax);
  payload["severity"] = SeverityWord(page.severity);
  if (ToMs(page.clock_real) > 0) payload["timestamp"] = FormatUtc(ToMs(page.clock_real));
  payload["component"] = Clean(page.name, kSourceMax);
  payload["group"] = Clean(page.service, kSourceMax);
  payload["class"] = "alarm";
  payload["custom_details"] = Details(page, language);

  Json body;
  body["routing_key"] = routing_key;
  body["event_action"] = Action(page.notice);
  body["dedup_key"] = DedupKey(page.alarm_id, page.episode);
  body["client"] = "LiveOps";
  body["payload"] = std::move(payload);
  if (body["event_action"] == "trigger") {
    AddLink(body, page.runbook, "Runbook");
    AddLink(body, page.link, "Where it is judged");
  }
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Reading ReadAnswer(const Answer& answer) {
  if (!answer.answered || answer.status < 200 || answer.status >= 300) return ReadFailure(answer);
  return {Outcome::kDelivered, Health::kAnswered, std::nullopt,
          "HTTP " + std::to_string(answer.status)};
}

}  // namespace liveops::notifier::pagerduty
