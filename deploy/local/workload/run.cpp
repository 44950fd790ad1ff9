#include "deploy/local/workload/run.h"

#include <memory>
#include <vector>

#include "common/telemetry/log.h"
#include "deploy/local/workload/emitter.h"
#include "deploy/local/workload/watcher.h"

namespace liveops::workload {
namespace {

// A rolling update replaces one instance after the other.
constexpr Duration kRollPause{8'000};  // domain
constexpr Duration kRetryPause{200};   // real

// Which version each instance runs, given what the cluster was told to run.
class Rollout {
 public:
  Rollout(int instances, std::string bad_tag)
      : bad_(static_cast<std::size_t>(instances), false), bad_tag_(std::move(bad_tag)) {}

  void Look(const std::optional<stack::DeploymentState>& seen, Duration elapsed) {
    if (seen && seen->image != image_) {
      // What runs at the start has been running for long.
      changed_ = image_.empty() ? elapsed - kRollPause * static_cast<int>(bad_.size()) : elapsed;
      image_ = seen->image;
    }
    const bool bad = TagOf(image_) == bad_tag_;
    for (std::size_t i = 0; i < bad_.size(); ++i) {
      if (elapsed >= changed_ + kRollPause * static_cast<int>(i)) bad_[i] = bad;
    }
  }
  bool bad(std::size_t instance) const { return bad_[instance]; }

 private:
  std::vector<bool> bad_;
  std::string bad_tag_;
  std::string image_;
  Duration changed_{0};  // domain time since the start
};

// What the deploy pipeline does, once.
class Pipeline {
 public:
  Pipeline(const RunOptions& options, const stack::Cluster& cluster, Emitter& emitter)
      : options_(options), cluster_(cluster), emitter_(emitter) {}

  void Act(Duration elapsed) {
    if (!options_.rollout_at || elapsed < *options_.rollout_at || told_) return;
    if (!set_) {
      const Status set = cluster_.SetImage(options_.deployment, options_.rollout_image);
      if (!set.ok()) return Complain(set.error().message);
      set_ = true;
      log::Info("rolled_out", {{"image", options_.rollout_image}});
    }
    Result<stack::DeploymentState> state = cluster_.Get(options_.deployment);
    if (!state.ok()) return Complain(state.error().message);
    const Status told =
        emitter_.ReportDeployment(std::to_string(state->revision), options_.rollout_image);
    if (!told.ok()) return Complain(told.error().message);
    told_ = true;
  }

 private:
  void Complain(const std::string& why) {
    if (!complained_) log::Warn("deployment_failed", {{"error", why}});
    complained_ = true;
  }

  const RunOptions& options_;
  const stack::Cluster& cluster_;
  Emitter& emitter_;
  bool set_ = false;
  bool told_ = false;
  bool complained_ = false;
};

}  // namespace

void Run(const RunOptions& options, runtime::StopSignal& stop) {
  const stack::Cluster cluster(options.kubectl, options.kubeconfig);
  const Watcher watcher(cluster, options.deployment, options.look);
  const auto instances = static_cast<std::size_t>(options.model.instances);
  std::vector<InstanceModel> models;
  std::vector<std::unique_ptr<Emitter>> emitters;
  for (std::size_t i = 0; i < instances; ++i) {
    models.emplace_back(options.model, static_cast<int>(i));
    emitters.push_back(std::make_unique<Emitter>(options.ingest, options.tls, options.model.service,
                                                 models.back().name()));
  }
  Rollout rollout(options.model.instances, options.bad_tag);
  Pipeline pipeline(options, cluster, *emitters[0]);

  // Domain time is counted from the start of this process by the steady clock; stamps are the same
  // count on top of the wall clock at the start, so that steps are equally long whatever that clock
  // does.
  const RealTime start_wall = WallClockNow();
  const SteadyTime start = std::chrono::steady_clock::now();
  const TimeMap map{start_wall, Instant{}, options.speed};
  log::Info("workload_started",
            {{"seed", static_cast<std::int64_t>(options.model.seed)}, {"speed", options.speed}});
  for (std::int64_t step = 1; !stop.requested(); ++step) {
    const Duration elapsed = options.model.step * step;
    const RealTime end = map.ToReal(Instant(elapsed));
    // Until the step is over; meanwhile what was not taken is tried again.
    bool all_sent = true;
    for (;;) {
      const auto left = std::chrono::ceil<Duration>(start + (end - start_wall) -
                                                    std::chrono::steady_clock::now());
      if (left.count() <= 0) break;
      if (stop.WaitFor(all_sent ? left : std::min(left, kRetryPause))) return;
      if (all_sent) continue;
      all_sent = true;
      for (auto& emitter : emitters) all_sent = emitter->Flush() && all_sent;
    }
    pipeline.Act(elapsed);
    rollout.Look(watcher.Seen(), elapsed);
    const Duration length = end - map.ToReal(Instant(elapsed - options.model.step));
    for (std::size_t i = 0; i < instances; ++i) {
      emitters[i]->Add(models[i].Step(rollout.bad(i)), end, length);
      all_sent = emitters[i]->Flush() && all_sent;
    }
  }
}

}  // namespace liveops::workload
