#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.h"

// What every source of alerts is translated to. Plain data, as it was told: nothing of it is
// checked yet but that it could be read.
namespace liveops::ingest {

struct ForeignAlert {
  std::string name;
  // What tells it from others of its name; the service is read from one of them, or given.
  std::vector<std::pair<std::string, std::string>> labels;
  std::string service;   // "" = a label says it
  std::string severity;  // a word of the source's; "" = none
  std::string summary;
  std::string description;
  std::string runbook;             // URL
  std::string link;                // URL of where it is judged
  bool over = false;               // it was said to be; else `ends` says whether it is
  std::optional<RealTime> starts;  // nothing: now
  std::optional<RealTime> ends;    // in the past: over since then; ahead: so long its word is good
  // Without `ends`: how long the word of one that fires is good; nothing: until it says otherwise.
  std::optional<Duration> good_for;
};

// What a request told. An alert that cannot be read does not keep the others from being taken.
struct ForeignAlerts {
  std::vector<ForeignAlert> alerts;
  std::vector<std::string> problems;  // "alert 3: …", a sentence each
};

// Of one request; further ones are a problem of the whole.
inline constexpr std::size_t kAlertsMax = 1000;

}  // namespace liveops::ingest
