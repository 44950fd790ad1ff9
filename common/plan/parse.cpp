#include "common/plan/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "common/base/text.h"
#include "common/plan/burn.h"
#include "common/plan/checks.h"
#include "common/plan/plan_reader.h"
#include "common/plan/reads.h"

namespace liveops::plan {
namespace {

constexpr Duration kWeek = std::chrono::hours(24 * 7);

std::vector<std::string> NamesOf(const std::vector<Owner>& owners) {
  std::vector<std::string> names;
  for (const Owner& owner : owners) names.push_back(owner.name);
  return names;
}

// "5min" or "next business day".
std::optional<Response> ReadResponseTime(const YamlNode& node, const char* severity,
                                         ProblemList& problems) {
  const std::string& text = node.scalar;
  const std::vector<std::string> known = {CanonicalText(Response{})};
  if (text == known.front()) return Response{};
  if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    const auto within = ReadTime(node, severity, std::chrono::minutes(1), kWeek, problems);
    return within ? std::optional(Response{*within}) : std::nullopt;
  }
  problems.Add(
      node, fmt::format("{} is \"{}\", expected a length of time such as 5min, or {}{}", severity,
                        Truncate(text, 40), known.front(), Suggestion(text, known)));
  return std::nullopt;
}

void AddMetrics(const Condition& condition, std::set<std::string>& metrics) {
  for (std::size_t i = 0; i < TestCount(condition); ++i) {
    for (const Operand& operand : TestOf(condition, i).measure.operands) {
      if (!operand.metric.empty() && !IsSliceCount(operand.metric)) metrics.insert(operand.metric);
    }
  }
}

constexpr const char* kRulesOfPrometheus =
    "this reads like rules of Prometheus; a plan lists its alarms under alarms, each with name, "
    "when, severity and owner";

// What somebody may take for a plan; nullptr = it may be one.
const char* OtherFile(const YamlNode& root) {
  if (root.kind != YamlNode::Kind::kMap || root.Find("service") != nullptr) return nullptr;
  if (root.Find("groups") != nullptr) return kRulesOfPrometheus;
  if (root.Find("tests") != nullptr && root.Find("alarms") == nullptr) {
    return "this is a file of tests, not a plan: `liveopsctl plan test` runs it";
  }
  return nullptr;
}

}  // namespace

Plan PlanReader::Read(const YamlNode& root) {
  if (root.kind == YamlNode::Kind::kNull) {
    problems_.Add(0, "the plan is empty, expected service, owners and alarms");
    return {};
  }
  if (const char* other = OtherFile(root); other != nullptr) {
    problems_.Add(root, other);
    return {};
  }
  Fields fields(root, "the plan", problems_);
  if (!fields.valid()) return {};
  if (const YamlNode* service = fields.Scalar("service", true)) {
    plan_.service = service->scalar;
    if (const std::string fault = ServiceNameFault(plan_.service); !fault.empty()) {
      problems_.Add(*service,
                    fmt::format("service is \"{}\"; {}", Truncate(plan_.service, 60), fault));
    }
  }
  plan_.phase = static_cast<int>(fields.Whole("phase", 0, 1000).value_or(0));
  plan_.dedup = fields.Time("dedup", Duration(0), kWeek).value_or(Duration(0));
  ReadSpread(fields);
  // In this order whatever the file's: each part refers to those before it.
  ReadOwners(fields.Get("owners"));
  ReadResponse(fields.Get("response"));
  ReadForeign(fields.Get("foreign_alerts"));
  if (const YamlNode* metrics = fields.Get("metrics"))
    bindings_ = ReadBindings(*metrics, problems_);
  bindings_.service = plan_.service;
  for (auto& [name, binding] : bindings_.names) {
    for (Operand& operand : binding.measure.operands) {
      if (operand.service == plan_.service) operand.service.clear();
    }
  }
  ReadLogs(fields.Get("logs"));
  ReadAlarms(fields.Get("alarms"));
  ReadSlos(fields.Get("slos"));
  ReadRemediations(fields.Get("remediations"));
  ReadLateness(fields.Get("lateness"));
  CheckSpread(fields.Get("spread"));
  fields.Refuse({{"silences", "silences; nothing was silenced"},
                 {"maintenance", "maintenance windows"},
                 {"escalation", "escalation; an alarm goes to its owner"},
                 {"escalations", "escalation; an alarm goes to its owner"},
                 {"inhibit", "one alarm that holds back another"},
                 {"inhibitions", "one alarm that holds back another"},
                 {"grouping", "grouping of alarms; each is sent alone"},
                 {"group_by", "grouping of alarms; each is sent alone"},
                 {"routes", "routing; severity and owner say where an alarm goes"},
                 {"calendar", "calendars"},
                 {"rota", "rotas; the owner's channels say who is told"},
                 {"gate", "the deploy gate"},
                 {"canary", "the canary watch"},
                 {"limits", "limits of a service's own"},
                 {"dashboards", "dashboards"},
                 {"budget", "cost budgets"},
                 {"reports", "reports"}});
  fields.Redirect({{"groups", kRulesOfPrometheus}});
  fields.Finish();
  return std::move(plan_);
}

void PlanReader::ReadSpread(Fields& fields) {
  const YamlNode* node = fields.Scalar("spread");
  if (node == nullptr) return;
  const std::string& text = node->scalar;
  int value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = stop == text.data() + text.size() && !text.empty();
  if (whole && error == std::errc() && value >= 1 && value <= spread_max_) {
    plan_.spread = value;
    return;
  }
  std::string nearest;
  if (whole && error != std::errc::invalid_argument) {
    // A number that no int holds leaves the value as it was.
    const bool below = text.front() == '-' || (error == std::errc() && value < 1);
    nearest = fmt::format("; the nearest is {}", below ? 1 : spread_max_);
  }
  problems_.Add(*node, fmt::format("spread is \"{}\", expected over how many of the partitions the "
                                   "service's series are to lie, a whole number from 1 to {}{}",
                                   Truncate(text, 40), spread_max_, nearest));
}

void PlanReader::ReadOwners(const YamlNode* node) {
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kMap) {
    problems_.Add(*node,
                  fmt::format("owners is {}, expected a mapping of names", KindName(node->kind)));
    return;
  }
  for (const auto& [name, value] : node->entries) ReadOwner(name, value);
}

void PlanReader::ReadOwner(const YamlNode& name, const YamlNode& node) {
  Owner owner;
  owner.name = name.scalar;
  // Kept even when something is wrong with it, so that its alarms are not told to have no owner.
  if (const std::string fault = NameFault(owner.name); !fault.empty()) {
    problems_.Add(name, fmt::format("owner \"{}\": {}", Truncate(owner.name, 60), fault));
  }
  Fields fields(node, fmt::format("owner \"{}\"", owner.name), problems_);
  if (fields.valid()) {
    owner.title = fields.Text("title");
    if (const YamlNode* slack = fields.Scalar("slack")) {
      owner.slack = slack->scalar;
      if (const std::string fault = SlackChannelFault(owner.slack); !fault.empty()) {
        problems_.Add(*slack, fmt::format("found \"{}\"; {}", Truncate(owner.slack, 60), fault));
      }
    } else if (const YamlNode* empty = node.Find("slack");
               empty != nullptr && empty->kind == YamlNode::Kind::kNull) {
      problems_.Add(*empty,
                    "slack has no value; an unquoted # begins a comment: write \"#channel\"");
      owner.slack = std::string("#");  // told; not told again as an owner without a way
    }
    if (const YamlNode* pagerduty = fields.Scalar("pagerduty")) {
      owner.pagerduty = pagerduty->scalar;
      if (const std::string fault = NameFault(owner.pagerduty); !fault.empty()) {
        problems_.Add(*pagerduty,
                      fmt::format("pagerduty is the name of a routing key in notifier's "
                                  "configuration, never the key; {}",
                                  fault));
      }
    }
    if (owner.slack.empty() && owner.pagerduty.empty()) {
      problems_.Add(name, fmt::format("owner \"{}\" cannot be reached: expected slack or pagerduty",
                                      owner.name));
    }
    fields.Refuse({{"email", "e-mail; expected slack or pagerduty"},
                   {"sns", "SNS; expected slack or pagerduty"},
                   {"webhook", "webhooks; expected slack or pagerduty"},
                   {"phone", "telephone; expected slack or pagerduty"},
                   {"escalate_to", "escalation; an alarm goes to its owner"},
                   {"rota", "rotas"},
                   {"hours", "working hours"}});
    fields.Finish();
  }
  if (owner.title.empty()) owner.title = owner.name;
  plan_.owners.push_back(std::move(owner));
}

std::string PlanReader::ReadName(Fields& fields, std::string_view what,
                                 std::map<std::string, std::size_t>& seen) {
  const YamlNode* node = fields.Scalar("name", true);
  if (node == nullptr) return "";
  fields.Rename(fmt::format("{} \"{}\"", what, Truncate(node->scalar, 60)));
  if (const std::string fault = NameFault(node->scalar); !fault.empty()) {
    problems_.Add(*node, fmt::format("{} \"{}\": {}", what, Truncate(node->scalar, 60), fault));
  }
  const auto [first, fresh] = seen.emplace(node->scalar, node->offset);
  if (!fresh) {
    problems_.Add(
        *node,
        fmt::format("{} \"{}\" is defined twice, first in line {}, again in line {}", what,
                    node->scalar, problems_.LineOf(first->second), problems_.LineOf(node->offset)));
  }
  return node->scalar;
}

const Owner* PlanReader::ReadOwnerName(const YamlNode& node) {
  const Owner* owner = plan_.FindOwner(node.scalar);
  if (owner == nullptr) {
    problems_.Add(node, fmt::format("unknown owner \"{}\"{}", Truncate(node.scalar, 60),
                                    Suggestion(node.scalar, NamesOf(plan_.owners))));
  }
  return owner;
}

void PlanReader::ReadAlarms(const YamlNode* node) {
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kList) {
    problems_.Add(*node, fmt::format("alarms is {}, expected a list", KindName(node->kind)));
    return;
  }
  for (const YamlNode& item : node->items) ReadAlarm(item);
}

void PlanReader::ReadAlarm(const YamlNode& node) {
  Fields fields(node, "an alarm", problems_);
  if (!fields.valid()) return;
  Alarm alarm;
  alarm.name = ReadName(fields, "alarm", alarm_offsets_);
  const auto condition = ReadCondition(fields);
  if (condition) alarm.when = *condition;
  ReadClear(fields, condition ? &*condition : nullptr, alarm);
  ReadPurpose(fields, alarm);
  ReadLevels(fields, condition ? &*condition : nullptr, alarm);
  ReadRecipient(fields, alarm);
  ReadFlapping(fields, alarm);
  ReadNoData(fields, alarm);
  alarm.min_count =
      static_cast<std::uint64_t>(fields.Whole("min_count", 0, 1'000'000'000).value_or(20));
  alarm.summary = fields.Text("summary");
  alarm.runbook = fields.Text("runbook");
  fields.Refuse({{"escalate", "escalation; an alarm goes to its owner"},
                 {"escalation", "escalation; an alarm goes to its owner"},
                 {"repeat", "repeated pages"},
                 {"inhibits", "one alarm that holds back another"},
                 {"inhibited_by", "one alarm that holds back another"},
                 {"group_by", "grouping of alarms; each is sent alone"},
                 {"labels", "labels of an alarm's own"},
                 {"channels", "channels of an alarm's own; its owner's are used"},
                 {"active", "calendars"},
                 {"unless", "unless as a key; it stands in the condition: when: a unless b"},
                 {"phase", "alarms of one phase only"}});
  fields.Redirect({{"for", "a hold stands at the end of the condition: when: CPU > 90% for 5min"},
                   {"expr", "the condition stands in when"},
                   {"query", "the condition stands in when"},
                   {"condition", "the condition is called when"},
                   {"threshold", "the threshold stands in when: CPU > 90%"},
                   {"alert", "an alarm is called by name"},
                   {"message", "the sentence that is sent is called summary"},
                   {"description", "the sentence that is sent is called summary"},
                   {"annotations", "what is sent along stands in summary and runbook"},
                   {"priority", "how bad it is stands in severity: critical, high, medium or low"},
                   {"team", "who is told stands in owner"}});
  fields.Finish();
  if (condition && !alarm.name.empty()) plan_.alarms.push_back(std::move(alarm));
}

void PlanReader::ReadLateness(const YamlNode* node) {
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kMap) {
    problems_.Add(*node, fmt::format("lateness is {}, expected a mapping of metrics to times",
                                     KindName(node->kind)));
    return;
  }
  std::set<std::string> read;
  for (const Alarm& alarm : plan_.alarms) AddMetrics(alarm.when, read);
  for (const Slo& slo : plan_.slos) {
    if (slo.slices) AddMetrics(slo.slices->good, read);
  }
  for (const Remediation& remediation : plan_.remediations) {
    AddMetrics(remediation.when, read);
    if (remediation.expect) AddMetrics(remediation.expect->condition, read);
  }
  const std::vector<std::string> known(read.begin(), read.end());
  for (const auto& [metric, value] : node->entries) {
    const auto time = ReadTime(value, "lateness", Duration(1000), std::chrono::hours(1), problems_);
    if (!read.contains(metric.scalar)) {
      problems_.Add(metric,
                    fmt::format("no alarm reads the metric \"{}\"{}", Truncate(metric.scalar, 60),
                                Suggestion(metric.scalar, known)));
    } else if (time) {
      plan_.lateness.emplace_back(metric.scalar, *time);
    }
  }
}

void PlanReader::ReadResponse(const YamlNode* node) {
  if (node == nullptr) return;
  Fields fields(*node, "response", problems_);
  if (!fields.valid()) return;
  bool good = true;
  for (const Severity severity : kSeverities) {
    const char* name = SeverityName(severity);
    const YamlNode* time = fields.Scalar(name);
    if (time == nullptr) continue;
    const auto response = ReadResponseTime(*time, name, problems_);
    good = good && response;
    if (response) plan_.response[static_cast<std::size_t>(severity)] = *response;
  }
  fields.Finish();
  for (std::size_t i = 1; good && i < std::size(kSeverities); ++i) {
    const Response& higher = plan_.response[i - 1];
    const Response& lower = plan_.response[i];
    if (lower.next_business_day() ||
        (!higher.next_business_day() && higher.within <= lower.within)) {
      continue;
    }
    problems_.Add(*node, fmt::format("response: {} ({}) may not be sooner than {} ({})",
                                     SeverityName(kSeverities[i]), CanonicalText(lower),
                                     SeverityName(kSeverities[i - 1]), CanonicalText(higher)));
    return;
  }
}

void PlanReader::CheckSpread(const YamlNode* node) {
  if (node == nullptr || plan_.spread <= 1) return;
  const auto check = [&](const char* kind, const std::string& name, const Condition& condition) {
    for (std::size_t i = 0; i < TestCount(condition); ++i) {
      const char* phrase = WholeOnly(TestOf(condition, i));
      if (phrase == nullptr) continue;
      problems_.Add(*node, fmt::format("{} \"{}\": {} cannot be run where spread is above 1", kind,
                                       name, phrase));
      return;
    }
  };
  for (const Alarm& alarm : plan_.alarms) check("alarm", alarm.name, alarm.when);
  for (const Slo& slo : plan_.slos) {
    if (!slo.slices) continue;
    problems_.Add(*node,
                  fmt::format("objective \"{}\": time_slices cannot be run where spread is above 1",
                              slo.name));
  }
  for (const Remediation& remediation : plan_.remediations) {
    check("remediation", remediation.name, remediation.when);
    if (remediation.expect) check("remediation", remediation.name, remediation.expect->condition);
  }
}

std::string Problem::ToString(std::string_view file) const {
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

namespace {

ParseResult ParseWith(std::string_view yaml, int spread_max, bool fresh) {
  ParseResult result;
  ProblemList problems(yaml);
  const YamlNode root = ReadYaml(yaml, problems);
  const bool readable = root.kind != YamlNode::Kind::kNull || problems.empty();
  if (readable) result.plan = PlanReader(problems, spread_max, fresh).Read(root);
  result.problems = problems.Take();
  return result;
}

}  // namespace

ParseResult Parse(std::string_view yaml) { return ParseWith(yaml, kSpreadMax, false); }

ParseResult ParseNew(std::string_view yaml, int partitions) {
  return ParseWith(yaml, partitions, true);
}

}  // namespace liveops::plan
