#include "common/plan/canonical_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "common/base/hash.h"
#include "common/plan/burn.h"
#include "common/plan/units.h"

namespace liveops::plan {
namespace {

using Section = CanonicalItem::Section;

// As YAML's double-quoted style has it; every text is quoted, so that none is taken for a number.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += std::string("\\") + c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Collects the fields of one item.
class Item {
 public:
  Item(Section section, std::string name) { item_ = {section, std::move(name), {}}; }
  // Left out when it says nothing.
  Item& Text(const char* key, const std::string& text) {
    return text.empty() ? *this : As(key, text, Quoted(text));
  }
  template <typename T>
  Item& Plain(const char* key, const T& value) {
    return As(key, fmt::format("{}", value), fmt::format("{}", value));
  }
  Item& As(const char* key, std::string text, std::string yaml) {
    item_.fields.push_back({key, std::move(text), std::move(yaml)});
    return *this;
  }
  CanonicalItem Take() { return std::move(item_); }

 private:
  CanonicalItem item_;
};

CanonicalItem Itself(const Plan& plan) {
  Item item(Section::kPlan, "");
  item.Text("service", plan.service).Plain("phase", plan.phase);
  if (plan.spread > 1) item.Plain("spread", plan.spread);
  if (plan.dedup > Duration(0)) item.Plain("dedup", FormatDuration(plan.dedup));
  if (!plan.foreign_owner.empty()) {
    item.As("foreign_alerts", "owner: " + plan.foreign_owner,
            "{owner: " + Quoted(plan.foreign_owner) + "}");
  }
  std::string text;
  std::string yaml;
  for (const Severity severity : kSeverities) {
    const std::string response = CanonicalText(plan.ResponseTo(severity));
    const char* separator = text.empty() ? "" : ", ";
    text += fmt::format("{}{}: {}", separator, SeverityName(severity), response);
    yaml += fmt::format("{}{}: {}", separator, SeverityName(severity), Quoted(response));
  }
  return item.As("response", text, "{" + yaml + "}").Take();
}

CanonicalItem ItemOf(const Owner& owner) {
  return Item(Section::kOwner, owner.name)
      .Text("title", owner.title)
      .Text("slack", owner.slack)
      .Text("pagerduty", owner.pagerduty)
      .Take();
}

CanonicalItem ItemOf(const LogCount& count) {
  Item item(Section::kLogCount, count.name);
  item.Text("match", count.match);
  if (count.level) item.Plain("level", LogLevelName(*count.level));
  return item.Take();
}

CanonicalItem ItemOf(const Plan& plan, const Slo& slo) {
  const Measure& bad = slo.bad;
  Item item(Section::kObjective, slo.name);
  item.Plain("objective", Decimal(slo.objective)).Plain("over", FormatDuration(slo.over));
  if (slo.slices) {
    const std::string good = CanonicalText(*slo.slices);
    const std::string window = FormatDuration(slo.slices->window);
    item.As("time_slices", fmt::format("good: {}, window: {}", good, window),
            fmt::format("{{good: {}, window: {}}}", Quoted(good), window));
  } else {
    item.Text(bad.form == Measure::Form::kRatio ? "bad" : "good", CanonicalSeries(bad.operands[0]))
        .Text("total", CanonicalSeries(bad.operands[1]));
  }
  item.Text("owner", slo.owner);
  // What else the file says of it stands in the alarms that it made.
  const Alarm* fast = plan.FindAlarm(slo.name + kFastBurn);
  const Alarm* slow = plan.FindAlarm(slo.name + kSlowBurn);
  if (fast == nullptr || slow == nullptr) return item.Take();
  item.Plain("page", SeverityName(fast->severity)).Plain("ticket", SeverityName(slow->severity));
  if (fast->evidence) item.Plain("min_bad", fast->evidence->bad_min);
  return item.Text("runbook", fast->runbook).Take();
}

void AddLevels(const Alarm& alarm, Item& item) {
  if (alarm.levels.empty()) return;
  std::string text;
  std::string yaml;
  for (const Level& level : alarm.levels) {
    const char* separator = text.empty() ? "" : ", ";
    const std::string when = CanonicalText(level, alarm.when);
    const std::string clear = level.clear ? CanonicalText(*level.clear, alarm.when) : "";
    text += fmt::format("{}{} {}{}{}", separator, SeverityName(level.severity), when,
                        clear.empty() ? "" : " clear ", clear);
    yaml += fmt::format("{}{{severity: {}, when: {}{}{}}}", separator, SeverityName(level.severity),
                        Quoted(when),
                        clear.empty() ? "" : ", clear: ", clear.empty() ? "" : Quoted(clear));
  }
  item.As("levels", text, "[" + yaml + "]");
}

void AddFlapping(const Alarm& alarm, Item& item) {
  if (!alarm.flapping) return;
  const std::string text =
      fmt::format("times: {}, within: {}, quiet: {}", alarm.flapping->times,
                  FormatDuration(alarm.flapping->within), FormatDuration(alarm.flapping->quiet));
  item.As("flapping", text, "{" + text + "}");
}

CanonicalItem ItemOf(const Alarm& alarm) {
  Item item(Section::kAlarm, alarm.name);
  item.Text("when", CanonicalText(alarm.when));
  if (alarm.clear) item.Text("clear", CanonicalText(*alarm.clear, alarm.when));
  if (alarm.keep_firing > Duration(0)) {
    item.Plain("keep_firing", FormatDuration(alarm.keep_firing));
  }
  item.Plain("severity", SeverityName(alarm.severity));
  AddLevels(alarm, item);
  AddFlapping(alarm, item);
  return item.Text("owner", alarm.owner)
      .Plain("page", alarm.page)
      .Plain("no_data", alarm.no_data == NoData::kFire ? "fire" : "keep")
      .Plain("min_count", alarm.min_count)
      .Text("summary", alarm.summary)
      .Text("runbook", alarm.runbook)
      .Take();
}

CanonicalItem ItemOf(const Remediation& remediation) {
  std::string text = "kubectl";
  std::string yaml;
  for (const std::string& argument : remediation.kubectl) {
    text += " " + argument;
    yaml += (yaml.empty() ? "" : ", ") + Quoted(argument);
  }
  const std::string within = FormatDuration(remediation.approval_within);
  Item item(Section::kRemediation, remediation.name);
  item.Text("when", CanonicalText(remediation.when))
      .Plain("min_count", remediation.min_count)
      .As("do", text, "{kubectl: [" + yaml + "]}")
      .As("approval", fmt::format("from {} within {}", remediation.approval_from, within),
          fmt::format("{{from: {}, within: {}}}", Quoted(remediation.approval_from), within));
  if (remediation.expect) item.Text("expect", CanonicalText(*remediation.expect));
  return item.Text("page_with", remediation.page_with).Take();
}

template <typename T>
void SortByName(std::vector<T>& items) {
  std::sort(items.begin(), items.end(), [](const T& a, const T& b) { return a.name < b.name; });
}

// The key of the file under which a section stands.
const char* Heading(Section section) {
  switch (section) {
    case Section::kPlan:
      return "";
    case Section::kOwner:
      return "owners";
    case Section::kLateness:
      return "lateness";
    case Section::kLogCount:
      return "logs";
    case Section::kObjective:
      return "slos";
    case Section::kAlarm:
      return "alarms";
    case Section::kRemediation:
      return "remediations";
  }
  return "";
}

std::string ItemText(const CanonicalItem& item) {
  std::string out;
  switch (item.section) {
    case Section::kPlan:
      for (const CanonicalField& field : item.fields)
        out += fmt::format("{}: {}\n", field.key, field.yaml);
      return out;
    case Section::kOwner:
      out = fmt::format("  {}:\n", Quoted(item.name));
      break;
    case Section::kLateness:
      return fmt::format("  {}: {}\n", Quoted(item.name), item.fields.front().yaml);
    case Section::kLogCount:
    case Section::kObjective:
    case Section::kAlarm:
    case Section::kRemediation:
      out = fmt::format("  - name: {}\n", Quoted(item.name));
      break;
  }
  for (const CanonicalField& field : item.fields)
    out += fmt::format("    {}: {}\n", field.key, field.yaml);
  return out;
}

std::vector<FieldChange> Whole(const CanonicalItem& item, bool added) {
  std::vector<FieldChange> fields;
  for (const CanonicalField& field : item.fields)
    fields.push_back({field.key, added ? "" : field.text, added ? field.text : ""});
  return fields;
}

std::string TextAt(const CanonicalItem& item, std::string_view key) {
  for (const CanonicalField& field : item.fields) {
    if (field.key == key) return field.text;
  }
  return "";
}

std::vector<FieldChange> Differing(const CanonicalItem& before, const CanonicalItem& after) {
  std::vector<FieldChange> fields;
  for (const CanonicalField& field : before.fields) {
    std::string now = TextAt(after, field.key);
    if (now != field.text) fields.push_back({field.key, field.text, std::move(now)});
  }
  for (const CanonicalField& field : after.fields) {
    if (TextAt(before, field.key).empty()) fields.push_back({field.key, "", field.text});
  }
  return fields;
}

}  // namespace

const char* SectionName(Section section) {
  switch (section) {
    case Section::kPlan:
      return "plan";
    case Section::kOwner:
      return "owner";
    case Section::kLateness:
      return "lateness";
    case Section::kLogCount:
      return "log count";
    case Section::kObjective:
      return "objective";
    case Section::kAlarm:
      return "alarm";
    case Section::kRemediation:
      return "remediation";
  }
  return "";
}

PlanFile Sorted(PlanFile file) {
  Plan& plan = file.plan;
  SortByName(file.logs);
  SortByName(plan.owners);
  SortByName(plan.slos);
  // As Parse leaves them: those that the objectives made stand last.
  std::sort(plan.alarms.begin(), plan.alarms.end(), [](const Alarm& a, const Alarm& b) {
    return std::pair(!a.slo.empty(), a.name) < std::pair(!b.slo.empty(), b.name);
  });
  SortByName(plan.remediations);
  std::sort(plan.lateness.begin(), plan.lateness.end());
  return file;
}

std::vector<CanonicalItem> CanonicalItems(const PlanFile& given) {
  const PlanFile file = Sorted(given);
  const Plan& plan = file.plan;
  std::vector<CanonicalItem> items{Itself(plan)};
  for (const Owner& owner : plan.owners) items.push_back(ItemOf(owner));
  for (const auto& [metric, lateness] : plan.lateness) {
    items.push_back(
        Item(Section::kLateness, metric).Plain("allowed", FormatDuration(lateness)).Take());
  }
  for (const LogCount& count : file.logs) items.push_back(ItemOf(count));
  for (const Slo& slo : plan.slos) items.push_back(ItemOf(plan, slo));
  for (const Alarm& alarm : plan.alarms) {
    if (alarm.slo.empty()) items.push_back(ItemOf(alarm));
  }
  for (const Remediation& remediation : plan.remediations) items.push_back(ItemOf(remediation));
  return items;
}

std::string CanonicalText(const PlanFile& file) {
  std::string out;
  std::optional<Section> last;
  for (const CanonicalItem& item : CanonicalItems(file)) {
    if (item.section != Section::kPlan && item.section != last)
      out += fmt::format("{}:\n", Heading(item.section));
    last = item.section;
    out += ItemText(item);
  }
  return out;
}

std::string Digest(const PlanFile& file) { return Hex(Sha256Of(CanonicalText(file))); }

std::vector<PlanChange> Compare(const PlanFile& before, const PlanFile& after) {
  struct Pair {
    std::optional<CanonicalItem> before;
    std::optional<CanonicalItem> after;
  };
  std::map<std::pair<Section, std::string>, Pair> pairs;
  for (CanonicalItem& item : CanonicalItems(before))
    pairs[{item.section, item.name}].before = std::move(item);
  for (CanonicalItem& item : CanonicalItems(after))
    pairs[{item.section, item.name}].after = std::move(item);
  std::vector<PlanChange> changes;
  for (const auto& [key, pair] : pairs) {
    const auto& [section, name] = key;
    if (!pair.before) {
      changes.push_back({PlanChange::Kind::kAdded, section, name, Whole(*pair.after, true)});
    } else if (!pair.after) {
      changes.push_back({PlanChange::Kind::kRemoved, section, name, Whole(*pair.before, false)});
    } else if (auto fields = Differing(*pair.before, *pair.after); !fields.empty()) {
      changes.push_back({PlanChange::Kind::kChanged, section, name, std::move(fields)});
    }
  }
  return changes;
}

}  // namespace liveops::plan
