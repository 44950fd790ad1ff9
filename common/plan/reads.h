#pragma once

#include <string>
#include <vector>

#include "common/plan/model.h"

// Whose series a plan reads, beside its own service's. Pure.
namespace liveops::plan {

// The other services, sorted, each once.
std::vector<std::string> ServicesRead(const Condition& condition);
std::vector<std::string> ServicesRead(const Plan& plan);  // of alarms and remediations

// Does the condition read series of the plan's own service?
bool ReadsOwn(const Condition& condition);

// The phrase of a test whose value cannot be put together from what several partitions say; nullptr
// when it can.
const char* WholeOnly(const Test& test);

}  // namespace liveops::plan
