#include "services/remediation/action/kubectl/kubectl.h"

#include <thread>

#include "common/base/text.h"
#include "services/remediation/action/kubectl/command.h"
#include "services/remediation/action/kubectl/exec.h"
#include "services/remediation/action/kubectl/rollout.h"

namespace liveops::remediation {
namespace {

constexpr std::size_t kOutputMax = 64 << 10;  // of a change: it goes into the log
constexpr std::size_t kAnswerMax = 16 << 20;  // of a question: ReplicaSets are some 10 KiB each
constexpr int kSettleTries = 5;
constexpr Duration kSettlePause{200};

std::string Observed(const Deployment& deployment) {
  return "revision " + std::to_string(deployment.revision) + ", template " +
         deployment.template_hash;
}

std::string Named(std::int64_t revision, const std::string& image) {
  return std::to_string(revision) + (image.empty() ? "" : " (" + image + ")");
}

class Kubectl : public Tool {
 public:
  Kubectl(KubectlConfig config, const std::atomic<bool>* cancel)
      : config_(std::move(config)), cancel_(cancel) {}

  Result<Target> TargetOf(const std::vector<std::string>& arguments) const override {
    Result<RolloutUndo> undo = ParseRolloutUndo(arguments, config_.ns);
    if (!undo.ok()) return undo.error();
    return Target{undo->ns, undo->target()};
  }

  Result<Action> Resolve(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& avoid) override {
    Result<RolloutUndo> undo = ParseRolloutUndo(arguments, config_.ns);
    if (!undo.ok()) return undo.error();
    Result<Rollout> rollout = Inspect(*undo);
    if (!rollout.ok()) return rollout.error();
    Result<Revision> target = ChooseTarget(*rollout, avoid);
    if (!target.ok()) return target.error();
    Action action;
    action.kind = "kubectl";
    action.target = undo->target();
    action.ns = undo->ns;
    action.argv = UndoArgv(*undo, target->number);
    action.preconditions = {{"revision", std::to_string(rollout->current.number)},
                            {"template", rollout->current.template_hash}};
    action.effect = {{"template", target->template_hash}};
    action.description = "roll back " + action.target + " from revision " +
                         Named(rollout->current.number, rollout->current.image) + " to " +
                         Named(target->number, target->image);
    return action;
  }

  Status Check(const Action& action) override {
    Result<ResolvedUndo> resolved = ParseUndoArgv(action.argv);
    if (!resolved.ok()) return resolved.error();
    Result<Rollout> rollout = Inspect(resolved->undo);
    if (!rollout.ok()) return rollout.error();
    const auto want = [&](const char* name) {
      const auto it = action.preconditions.find(name);
      return it == action.preconditions.end() ? std::string() : it->second;
    };
    const std::string revision = std::to_string(rollout->current.number);
    if (want("revision") != revision || want("template") != rollout->current.template_hash) {
      return ConflictError("revision " + revision + " is in force now, the approved action goes " +
                           "back from revision " + want("revision"));
    }
    // A revision's number moves when it is rolled out again: the approved one must still mean the
    // same template.
    const auto it = action.effect.find("template");
    for (const Revision& other : rollout->others) {
      if (other.number == resolved->revision && it != action.effect.end() &&
          other.template_hash == it->second) {
        return {};
      }
    }
    return ConflictError("revision " + std::to_string(resolved->revision) +
                         " is no longer what was approved");
  }

  Result<Ran> Run(const Action& action) override {
    Result<ResolvedUndo> resolved = ParseUndoArgv(action.argv);
    if (!resolved.ok()) return resolved.error();
    Result<ExecResult> result = Exec(Request(action.argv, kOutputMax), cancel_);
    if (!result.ok()) return result.error();
    Ran ran;
    ran.exit_code = result->exit_code;
    std::string output = result->output + result->errors;
    if (result->truncated) output += "\n[more output was dropped]";
    if (result->timed_out) {
      output += "\n[killed after " + FormatDuration(config_.timeout) + "]";
    } else if (result->cancelled) {
      output += "\n[killed: the service was told to stop]";
    } else if (result->signal != 0) {
      output += "\n[ended by signal " + std::to_string(result->signal) + "]";
    }
    ran.output = Truncate(ScrubUtf8(Trim(output)), kOutputMax);
    return ran;
  }

  Result<Observation> ReadBack(const Action& action) override {
    Result<ResolvedUndo> resolved = ParseUndoArgv(action.argv);
    if (!resolved.ok()) return resolved.error();
    const auto it = action.effect.find("template");
    for (int tries = 1;; ++tries) {
      Result<Deployment> deployment = GetDeployment(resolved->undo);
      if (!deployment.ok()) return deployment.error();
      // The template changes at once, the revision's number when the controller has looked.
      if (deployment->settled || tries == kSettleTries) {
        return Observation{it != action.effect.end() && deployment->template_hash == it->second,
                           Observed(*deployment)};
      }
      std::this_thread::sleep_for(kSettlePause);
    }
  }

 private:
  ExecRequest Request(std::vector<std::string> argv, std::size_t output_max) const {
    ExecRequest request;
    request.path = config_.path;
    request.argv = std::move(argv);
    request.environment = {"HOME=/nonexistent", "PATH=/usr/bin:/bin"};
    if (!config_.kubeconfig.empty()) {
      request.environment.push_back("KUBECONFIG=" + config_.kubeconfig);
    }
    request.timeout = config_.timeout;
    request.output_max = output_max;
    return request;
  }

  // A question to the cluster. kNotFound, kUnavailable, kTimeout.
  Result<std::string> Ask(std::vector<std::string> argv) const {
    Result<ExecResult> result = Exec(Request(std::move(argv), kAnswerMax), cancel_);
    if (!result.ok()) return result.error();
    if (result->timed_out) {
      return TimeoutError("kubectl gave no answer within " + FormatDuration(config_.timeout));
    }
    if (result->exit_code == 0 && !result->truncated) return std::move(result->output);
    const std::string why = Truncate(ScrubUtf8(Trim(result->errors)), 300);
    if (why.find("(NotFound)") != std::string::npos) return NotFoundError(why);
    if (why.find("(Forbidden)") != std::string::npos) return DeniedError(why);
    return UnavailableError(why.empty() ? "kubectl gave no answer" : why);
  }

  Result<Deployment> GetDeployment(const RolloutUndo& undo) const {
    Result<std::string> json =
        Ask({"kubectl", "get", "deployment", undo.name, "-n", undo.ns, "-o", "json"});
    if (!json.ok()) return json.error();
    return ReadDeployment(*json);
  }

  Result<Rollout> Inspect(const RolloutUndo& undo) const {
    Result<Deployment> deployment = GetDeployment(undo);
    if (!deployment.ok()) return deployment.error();
    std::vector<std::string> argv = {"kubectl", "get", "replicasets", "-n", undo.ns, "-o", "json"};
    if (!deployment->selector.empty()) {
      argv.push_back("-l");
      argv.push_back(deployment->selector);
    }
    Result<std::string> json = Ask(std::move(argv));
    if (!json.ok()) return json.error();
    return ReadRollout(*deployment, *json);
  }

  KubectlConfig config_;
  const std::atomic<bool>* cancel_;
};

}  // namespace

std::unique_ptr<Tool> NewKubectl(KubectlConfig config, const std::atomic<bool>* cancel) {
  return std::make_unique<Kubectl>(std::move(config), cancel);
}

}  // namespace liveops::remediation
