#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/plan/log_count.h"
#include "common/plan/model.h"

// A plan in canonical form: names inlined, defaults written out, each list sorted by name. Two
// files that say the same have the same form, whatever their spelling, order and comments. Pure.
namespace liveops::plan {

// All that a plan file says.
struct PlanFile {
  PlanFile() = default;
  // Implicit: a plan is what a file says that counts no log lines.
  PlanFile(Plan its_plan, std::vector<LogCount> its_logs = {})
      : plan(std::move(its_plan)), logs(std::move(its_logs)) {}

  Plan plan;
  std::vector<LogCount> logs;
  friend bool operator==(const PlanFile&, const PlanFile&) = default;
};

struct CanonicalField {
  std::string key;   // as in the file: "when"
  std::string text;  // for people: `ratio(a, b) over 1min > 1% for 3min`
  std::string yaml;  // as the file has it, quoted where it must be
};

// One thing that a plan says.
struct CanonicalItem {
  enum class Section { kPlan, kOwner, kLateness, kLogCount, kObjective, kAlarm, kRemediation };
  Section section = Section::kPlan;
  std::string name;  // "" of the plan itself
  std::vector<CanonicalField> fields;
};
const char* SectionName(CanonicalItem::Section section);  // "plan", "owner", …, "remediation"

// By section, then by name. The alarms that an objective makes are told by the objective.
std::vector<CanonicalItem> CanonicalItems(const PlanFile& file);

// A plan file. Parse and ParseLogCounts read it back to Sorted(file), except where the plan
// compares a share that a formula makes with per cent: its canonical form cannot be said in a plan,
// and Parse refuses it.
std::string CanonicalText(const PlanFile& file);
// SHA-256, hex, of the canonical text.
std::string Digest(const PlanFile& file);

// With its lists in canonical order.
PlanFile Sorted(PlanFile file);

struct FieldChange {
  std::string key;
  std::string before;  // "" = not there
  std::string after;
};

struct PlanChange {
  enum class Kind { kAdded, kRemoved, kChanged };
  Kind kind = Kind::kChanged;
  CanonicalItem::Section section = CanonicalItem::Section::kPlan;
  std::string name;
  std::vector<FieldChange> fields;  // of a changed item those that differ, else all
};

// What must change in `before` for it to say what `after` says; empty when both say the same.
std::vector<PlanChange> Compare(const PlanFile& before, const PlanFile& after);

}  // namespace liveops::plan
