#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/plan/parse.h"
#include "liveops/v1/plans.pb.h"
#include "services/liveopsctl/rehearse/backtest.h"
#include "services/liveopsctl/rehearse/recording.h"
#include "services/liveopsctl/session.h"

// What `plan test`, `plan backtest` and `plan diff` read, and what these tell while they run.
namespace liveops::ctl {

// Every problem of the files that a command was given, told together.
class Problems {
 public:
  void Add(const std::string& file, std::string_view text,
           const std::vector<plan::Problem>& problems, const Style& style);
  bool empty() const { return all_.problems().empty(); }
  // Gives kExitUsage.
  int Tell(Session& session) const;

 private:
  v1::CheckPlanResponse all_;
  std::string text_;
};

struct LoadedPlan {
  std::string path;
  std::string text;
  std::string error;         // why the file cannot be read, "" = it was
  plan::ParseResult parsed;  // its problems were given to `problems`
  bool ok() const { return error.empty() && parsed.ok(); }
};
LoadedPlan LoadPlan(const std::string& path, Problems& problems, const Style& style);

// Gives each line of a recording, in order. False when the file cannot be read, or a line is wrong;
// that was told, or added to `problems`.
bool ReadRecording(Session& session, const std::string& path, Problems& problems,
                   const std::function<void(const rehearse::RecordedLine&)>& take);

// Gives the backtests, whose plans are of `service`, each record of the log that `source` asks for,
// in order, until the end or Ctrl-C. False when it cannot be read, or a plan not be judged by it;
// `code` is then set, and why was told.
bool ReadLog(Session& session, const PlayedSource& source, const std::string& service,
             std::span<rehearse::Backtest* const> backtests, rehearse::LogSpan& span, int& code);

}  // namespace liveops::ctl
