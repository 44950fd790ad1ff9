#include "common/plan/reads.h"

#include <algorithm>
#include <set>

namespace liveops::plan {
namespace {

void AddServices(const Condition& condition, std::set<std::string>& services) {
  for (std::size_t i = 0; i < TestCount(condition); ++i) {
    for (const Operand& operand : TestOf(condition, i).measure.operands) {
      if (!operand.service.empty()) services.insert(operand.service);
    }
  }
}

}  // namespace

std::vector<std::string> ServicesRead(const Condition& condition) {
  std::set<std::string> services;
  AddServices(condition, services);
  return {services.begin(), services.end()};
}

std::vector<std::string> ServicesRead(const Plan& plan) {
  std::set<std::string> services;
  for (const Alarm& alarm : plan.alarms) AddServices(alarm.when, services);
  for (const Remediation& remediation : plan.remediations) AddServices(remediation.when, services);
  return {services.begin(), services.end()};
}

bool ReadsOwn(const Condition& condition) {
  for (std::size_t i = 0; i < TestCount(condition); ++i) {
    const auto& operands = TestOf(condition, i).measure.operands;
    if (std::any_of(operands.begin(), operands.end(),
                    [](const Operand& operand) { return operand.service.empty(); })) {
      return true;
    }
  }
  return false;
}

// What is counted over all series of a group.
const char* WholeOnly(const Test& test) {
  if (test.measure.form == Measure::Form::kReporters) return "at least N by label";
  if (test.top > 0) return "topk";
  const auto& operands = test.measure.operands;
  const bool distinct = std::any_of(operands.begin(), operands.end(), [](const Operand& operand) {
    return operand.aggregate == Aggregate::kDistinct;
  });
  return distinct ? "distinct" : nullptr;
}

}  // namespace liveops::plan
