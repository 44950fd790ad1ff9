#pragma once

#include <string>

#include "common/base/result.h"
#include "services/liveopsctl/cli/command.h"

// What plans are played on, from the words of a command line.
namespace liveops::ctl {

struct SourceWords {
  std::string from;  // RFC 3339
  std::string to;    // RFC 3339
  std::string last;  // a length of time
};

enum class SourceUse {
  kBacktest,  // a recording or the log
  kDiff,      // likewise
  kLive,      // the log
  kNone,      // `plan check` without --live: no source may be named
};

// Puts the times into `source` and checks that it is one. kInvalid with a sentence for the person
// who typed it.
Status ReadSource(const SourceWords& words, SourceUse use, PlayedSource& source);

}  // namespace liveops::ctl
