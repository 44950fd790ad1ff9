#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "services/remediation/policy/record.h"

namespace liveops::remediation {

// A kind of action. Everything here may block for as long as the tool's time-out; one thread at a
// time, always the same one (children die with the thread that started them), except TargetOf.
class Tool {
 public:
  struct Target {
    std::string ns;
    std::string target;  // "deployment/backend-api"
  };
  struct Ran {
    int exit_code = 0;   // -1 when it was killed (`output` says why)
    std::string output;  // standard output and error, capped
  };
  struct Observation {
    bool in_force = false;
    std::string observed;  // what is in force, in the words of Action::effect
  };

  virtual ~Tool() = default;

  // What the plan's arguments act on. kInvalid: not in the allow-list. Spawns nothing; thread-safe.
  virtual Result<Target> TargetOf(const std::vector<std::string>& arguments) const = 0;
  // The exact action that the plan's arguments mean now. `avoid` are values of
  // Action::preconditions["template"] that must not be gone back to. kConflict: there is nothing to
  // go back to. kUnavailable, kTimeout: try again.
  virtual Result<Action> Resolve(const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& avoid) = 0;
  // Do the action's preconditions hold? kConflict: no.
  virtual Status Check(const Action& action) = 0;
  // Does it. An error means that nothing was started.
  virtual Result<Ran> Run(const Action& action) = 0;
  // Is the action's effect in force? Changes nothing.
  virtual Result<Observation> ReadBack(const Action& action) = 0;
};

}  // namespace liveops::remediation
