#include "deploy/local/sink/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

namespace liveops::sink {
namespace {

using nlohmann::json;

constexpr std::size_t kLinesKept = 5'000;

std::string TextOf(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : std::string();
}

std::string FreshKey() {
  std::random_device random;
  std::string key;
  for (int i = 0; i < 32; ++i) key += "0123456789abcdef"[random() % 16];
  return key;
}

AlertEvent EventOf(const json& body, std::int64_t at_us) {
  AlertEvent event;
  event.action = TextOf(body, "event_action");
  event.routing_key = TextOf(body, "routing_key");
  event.dedup_key = TextOf(body, "dedup_key");
  event.fresh_key = FreshKey();
  const json payload = body.is_object() ? body.value("payload", json::object()) : json::object();
  event.summary = TextOf(payload, "summary");
  event.severity = TextOf(payload, "severity");
  event.source = TextOf(payload, "source");
  event.at_us = at_us;
  return event;
}

json ToJsonValue(const Alert& alert) {
  return {{"number", alert.number},
          {"dedup_key", alert.dedup_key},
          {"summary", alert.summary},
          {"severity", alert.severity},
          {"source", alert.source},
          {"state", AlertStateName(alert.state)},
          {"triggers", alert.triggers},
          {"opened_us", alert.opened_us},
          {"acknowledged_us", alert.acknowledged_us},
          {"resolved_us", alert.resolved_us}};
}

// Slack's words for what it refuses (https://api.slack.com/messaging/webhooks#handling_errors).
std::string SlackRefusal(const Violations& violations) {
  for (const std::string& what : violations) {
    if (what.starts_with("text: is missing")) return "no_text";
    if (what.starts_with("blocks")) return "invalid_blocks";
  }
  return "invalid_payload";
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::Open(const std::string& file, double slack_rate) {
  std::unique_ptr<Ledger> ledger(new Ledger(slack_rate));
  if (file.empty()) return ledger;
  Result<std::int64_t> good = ledger->Load(file);
  if (!good.ok()) return good.error();
  ledger->fd_ = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (ledger->fd_ < 0 || ftruncate(ledger->fd_, *good) != 0)
    return UnavailableError("cannot write " + file + ": " + strerror(errno));
  return ledger;
}

Ledger::~Ledger() {
  if (fd_ >= 0) close(fd_);
}

Result<std::int64_t> Ledger::Load(const std::string& file) {
  std::ifstream stream(file);
  std::string text;
  std::int64_t good = 0;  // bytes of whole lines
  for (int line = 1; std::getline(stream, text); ++line) {
    const json entry = json::parse(text, nullptr, /*allow_exceptions=*/false);
    const bool whole = !stream.eof();  // a kill may have cut the last line
    if (!whole) break;
    if (!entry.is_object() || !entry.contains("number")) {
      return InvalidError(file + ":" + std::to_string(line) + ": not a line of a ledger");
    }
    last_ = entry["number"];
    violations_ += static_cast<std::int64_t>(entry.value("violations", json::array()).size());
    if (entry.value("alert", 0) != 0) {
      alerts_.Apply(EventOf(entry["body"], entry.value("received_us", std::int64_t{0})));
    }
    good += static_cast<std::int64_t>(text.size()) + 1;
    lines_.push_back({last_, text});
    if (lines_.size() > kLinesKept) lines_.pop_front();
  }
  return good;
}

Answer Ledger::Take(const Received& request) {
  json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  Violations violations;
  if (body.is_discarded()) {
    violations.push_back("body: is not JSON");
    body = json::object();
  }
  if (!request.content_type.starts_with("application/json")) {
    violations.push_back("Content-Type: must be application/json");
  }
  json entry = {{"received_us", request.received_us},
                {"received_steady_ns", request.received_steady_ns},
                {"provider", request.provider}};
  std::lock_guard lock(mutex_);
  entry["number"] = ++last_;
  Answer answer = request.provider == "slack" ? TakeSlack(request, entry, violations, body)
                                              : TakePagerDuty(request, entry, violations, body);
  entry["violations"] = violations;
  entry["status"] = answer.drop ? 0 : answer.status;
  entry["body"] = std::move(body);
  violations_ += static_cast<std::int64_t>(violations.size());
  Append(entry);
  return answer;
}

Answer Ledger::TakeSlack(const Received& request, json& entry, Violations& violations,
                         const json& body) {
  if (violations.empty()) violations = CheckSlackMessage(body);
  entry["channel"] = request.channel;
  entry["kind"] = "message";
  entry["title"] = SlackTitle(body);
  Answer answer{200, "ok", "text/plain", -1, Duration(0), false};
  bool posted = violations.empty();
  if (!posted) {
    answer.status = 400;
    answer.body = SlackRefusal(violations);
  }
  const std::optional<Fault> fault = faults_.Take("slack", request.channel);
  if (fault) {
    entry["fault"] = fault->ToString();
    posted = posted && fault->applies();
    if (fault->status != 0)
      answer = {fault->status, "injected", "text/plain", -1, Duration(0), false};
    answer.retry_after = fault->retry_after.value_or(-1);
    answer.delay = fault->delay;
    answer.drop = fault->drop;
  } else if (posted && !rate_.Take(request.channel, std::chrono::steady_clock::now())) {
    posted = false;
    answer = {429, "rate_limited", "text/plain", 1, Duration(0), false};
  }
  entry["effect"] = posted ? "posted" : "";
  return answer;
}

Answer Ledger::TakePagerDuty(const Received& request, json& entry, Violations& violations,
                             const json& body) {
  if (request.body.size() > kPagerDutyBodyMax) violations.push_back("body: is over 512 KB");
  if (violations.empty()) {
    violations = request.change ? CheckPagerDutyChange(body) : CheckPagerDutyEvent(body);
  }
  const AlertEvent event = EventOf(body, request.received_us);
  entry["kind"] = request.change ? "change" : event.action;
  entry["title"] = event.summary;
  json text = {{"status", "success"}, {"message", "Event processed"}};
  if (!request.change) {
    text["dedup_key"] = event.dedup_key.empty() ? event.fresh_key : event.dedup_key;
  }
  Answer answer{202, text.dump(), "application/json", -1, Duration(0), false};
  bool processed = violations.empty();
  if (!processed) {
    answer.status = 400;
    answer.body = json({{"status", "invalid event"},
                        {"message", "Event object is invalid"},
                        {"errors", violations}})
                      .dump();
  }
  if (const std::optional<Fault> fault = faults_.Take("pagerduty", "")) {
    entry["fault"] = fault->ToString();
    processed = processed && fault->applies();
    if (fault->status != 0) {
      answer = {fault->status, R"({"status":"injected"})", "application/json", -1, Duration(0),
                false};
    }
    answer.retry_after = fault->retry_after.value_or(-1);
    answer.delay = fault->delay;
    answer.drop = fault->drop;
  }
  entry["effect"] = "";
  if (processed && request.change) entry["effect"] = "recorded";
  if (processed && !request.change) {
    const AlertEffect effect = alerts_.Apply(event);
    entry["effect"] = effect.word;
    entry["alert"] = effect.alert;
  }
  return answer;
}

void Ledger::Append(const json& entry) {
  // A body may hold bad UTF-8 only inside what json::parse already refused; replace to be sure of
  // one whole line.
  std::string line = entry.dump(-1, ' ', false, json::error_handler_t::replace);
  if (fd_ >= 0) {
    const std::string whole = line + "\n";
    [[maybe_unused]] const auto written = write(fd_, whole.data(), whole.size());
  }
  lines_.push_back({last_, std::move(line)});
  if (lines_.size() > kLinesKept) lines_.pop_front();
}

Status Ledger::AddFault(const json& request) {
  std::lock_guard lock(mutex_);
  return faults_.Add(request);
}

void Ledger::ClearFaults() {
  std::lock_guard lock(mutex_);
  faults_.Clear();
}

std::string Ledger::ToJson(std::int64_t after) const {
  std::lock_guard lock(mutex_);
  std::string text = R"({"entries":[)";
  bool first = true;
  for (const Line& line : lines_) {
    if (line.number <= after) continue;
    if (!first) text += ",";
    text += line.text;
    first = false;
  }
  json alerts = json::array();
  for (const Alert& alert : alerts_.alerts()) alerts.push_back(ToJsonValue(alert));
  return text + R"(],"alerts":)" + alerts.dump() + R"(,"violations":)" +
         std::to_string(violations_) + R"(,"faults":)" + std::to_string(faults_.size()) +
         R"(,"last":)" + std::to_string(last_) + "}";
}

}  // namespace liveops::sink
