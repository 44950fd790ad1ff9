#pragma once

#include <string_view>

#include "common/plan/reference.h"

// The sections of the reference page that have a file of their own. For the files reference*.cpp
// only.
namespace liveops::plan {

using Kind = ReferenceExample::Kind;

inline ReferenceExample When(std::string_view text, std::string_view meaning = "") {
  return {Kind::kCondition, text, meaning};
}
inline ReferenceExample Refused(std::string_view text) { return {Kind::kRefused, text, ""}; }

ReferenceSection GroupsSection();
ReferenceSection TopSection();
ReferenceSection EarlierTimesSection();
ReferenceSection ReportersSection();
ReferenceSection ServicesSection();
ReferenceSection ObjectivesSection();
ReferenceSection TimeSlicesSection();

}  // namespace liveops::plan
