#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/plan/model.h"

// A plan in canonical form: names inlined, defaults written out, each list sorted by name. Two
// files that say the same have the same form, whatever their spelling, order and comments. Pure.
namespace liveops::plan {

struct CanonicalField {
  std::string key;   // as in the file: "when"
  std::string text;  // for people: `ratio(a, b) over 1min > 1% for 3min`
  std::string yaml;  // as the file has it, quoted where it must be
};

// One thing that a plan says.
struct CanonicalItem {
  enum class Section { kPlan, kOwner, kLateness, kObjective, kAlarm, kRemediation };
  Section section = Section::kPlan;
  std::string name;  // "" of the plan itself
  std::vector<CanonicalField> fields;
};
const char* SectionName(CanonicalItem::Section section);  // "plan", "owner", …, "remediation"

// By section, then by name. The alarms that an objective makes are told by the objective.
std::vector<CanonicalItem> CanonicalItems(const Plan& plan);

// A plan file. Parse reads it back to Sorted(plan), except where the plan compares a share that a
// formula makes with per cent: its canonical form cannot be said in a plan, and Parse refuses it.
std::string CanonicalText(const Plan& plan);
// SHA-256, hex, of the canonical text.
std::string Digest(const Plan& plan);

// The plan with its lists in canonical order.
Plan Sorted(Plan plan);

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
std::vector<PlanChange> Compare(const Plan& before, const Plan& after);

}  // namespace liveops::plan
