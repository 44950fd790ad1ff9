#include "deploy/local/kubectl/standin.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "common/base/time.h"
#include "deploy/local/kubectl/arguments.h"
#include "deploy/local/kubectl/cluster.h"
#include "deploy/local/kubectl/store.h"

namespace liveops::standin {
namespace {

std::string Now() { return FormatUtc(ToMs(WallClockNow()) / 1000 * 1000).substr(0, 19) + "Z"; }

// Loads under the lock, lets `change` work on one Deployment, saves when it says so.
Status Change(const Call& call, const std::string& name,
              const std::function<Result<bool>(Json&)>& change) {
  Result<Store> store = Store::Open(call.state_path);
  if (!store.ok()) return store.error();
  Result<Json> state = store->Load();
  if (!state.ok()) return state.error();
  Result<Json*> deployment = FindDeployment(*state, call.ns, name);
  if (!deployment.ok()) return deployment.error();
  Result<bool> changed = change(**deployment);
  if (!changed.ok()) return changed.error();
  if (!*changed) return {};
  (*state)["changes"].push_back({{"time", Now()}, {"argv", call.argv}});
  return store->Save(*state);
}

Result<Json> ReadState(const Call& call) {
  Result<Store> store = Store::Open(call.state_path);
  if (!store.ok()) return store.error();
  return store->Load();
}

Status Create(const Call& call) {
  if (call.words.size() != 3 || !IsDeployment(call.words[1]) || !call.flags.contains("image")) {
    return InvalidError("error: usage: create deployment NAME --image=IMAGE [--replicas=N]");
  }
  Result<std::int64_t> replicas = NumberFlag(call, "replicas", 1);
  if (!replicas.ok()) return replicas.error();
  Result<Store> store = Store::Open(call.state_path);
  if (!store.ok()) return store.error();
  Result<Json> state = store->Load();
  if (!state.ok()) return state.error();
  Status created = CreateDeployment(*state, call.ns, call.words[2], call.flags.at("image"),
                                    static_cast<int>(*replicas), Now());
  if (!created.ok()) return created;
  (*state)["changes"].push_back({{"time", Now()}, {"argv", call.argv}});
  if (Status saved = store->Save(*state); !saved.ok()) return saved;
  *call.out << "deployment.apps/" << call.words[2] << " created\n";
  return {};
}

Status SetImage(const Call& call) {
  if (call.words.size() < 2 || call.words[1] != "image") {
    return InvalidError("error: unknown command; only `set image` is known here");
  }
  std::size_t at = 2;
  Result<std::string> name = DeploymentName(call, at);
  if (!name.ok()) return name.error();
  if (at >= call.words.size()) {
    return InvalidError("error: at least one image update is required");
  }
  return Change(call, *name, [&](Json& d) -> Result<bool> {
    Json pod_template = d["template"];
    for (; at < call.words.size(); ++at) {
      const std::string& word = call.words[at];
      const std::size_t equal = word.find('=');
      if (equal == std::string::npos) {
        return InvalidError("error: invalid image update: " + word);
      }
      const std::string container = word.substr(0, equal);
      bool found = false;
      for (Json& c : pod_template["spec"]["containers"]) {
        if (container != "*" && c["name"] != container) continue;
        c["image"] = word.substr(equal + 1);
        found = true;
      }
      if (!found) {
        return InvalidError("error: unable to find container named \"" + container + "\"");
      }
    }
    const bool changed = RollOut(d, pod_template, Now());
    if (changed) *call.out << "deployment.apps/" << *name << " image updated\n";
    return changed;
  });
}

Status AnnotateCommand(const Call& call) {
  std::size_t at = 1;
  Result<std::string> name = DeploymentName(call, at);
  if (!name.ok()) return name.error();
  return Change(call, *name, [&](Json& d) -> Result<bool> {
    for (; at < call.words.size(); ++at) {
      const std::string& word = call.words[at];
      const std::size_t equal = word.find('=');
      if (equal == std::string::npos && word.ends_with('-')) {
        Annotate(d, word.substr(0, word.size() - 1), Json());
        continue;
      }
      if (equal == std::string::npos) return InvalidError("error: invalid annotation: " + word);
      const std::string key = word.substr(0, equal);
      if (d["annotations"].contains(key) && !call.flags.contains("overwrite") &&
          d["annotations"][key] != word.substr(equal + 1)) {
        return InvalidError(
            "error: --overwrite is false but found the following declared "
            "annotation(s): '" +
            key + "' already has a value (" + d["annotations"][key].get<std::string>() + ")");
      }
      Annotate(d, key, word.substr(equal + 1));
    }
    *call.out << "deployment.apps/" << *name << " annotated\n";
    return true;
  });
}

Status Get(const Call& call) {
  if (call.words.size() < 2) return InvalidError("error: You must specify the type of resource");
  const std::string kind = call.words[1].substr(0, call.words[1].find('/'));
  std::string name = call.words.size() > 2 ? call.words[2] : "";
  if (kind.size() != call.words[1].size()) name = call.words[1].substr(kind.size() + 1);
  const bool sets =
      kind == "replicasets" || kind == "replicaset" || kind == "rs" || kind == "replicasets.apps";
  if (!sets && !IsDeployment(kind)) {
    return InvalidError("error: the server doesn't have a resource type \"" + kind + "\"");
  }
  Result<Json> state = ReadState(call);
  if (!state.ok()) return state.error();
  const auto selector = call.flags.find("selector");
  Json items = Json::array();
  for (const Json& d : (*state)["deployments"]) {
    if (d["namespace"] != call.ns) continue;
    Json views = Json::array();
    if (!sets) views.push_back(DeploymentView(d));
    if (sets) {
      for (const Json& rs : d["replica_sets"]) views.push_back(ReplicaSetView(d, rs));
    }
    for (Json& view : views) {
      if (!name.empty() && view["metadata"]["name"] != name) continue;
      if (selector != call.flags.end() &&
          !SelectorMatches(selector->second, view["metadata"]["labels"])) {
        continue;
      }
      items.push_back(std::move(view));
    }
  }
  const std::string plural = sets ? "replicasets.apps" : "deployments.apps";
  if (!name.empty() && items.empty()) {
    return NotFoundError("Error from server (NotFound): " + plural + " \"" + name + "\" not found");
  }
  const auto output = call.flags.find("output");
  const std::string form = output == call.flags.end() ? "" : output->second;
  if (form == "json") {
    const Json list = {{"apiVersion", "v1"},
                       {"items", items},
                       {"kind", "List"},
                       {"metadata", {{"resourceVersion", ""}, {"selfLink", ""}}}};
    *call.out << (name.empty() ? list : items.front()).dump(4) << "\n";
    return {};
  }
  if (!form.empty() && form != "name") {
    return InvalidError("error: unable to match a printer suitable for the output format \"" +
                        form + "\", allowed formats are: json,name");
  }
  if (form.empty()) *call.out << "NAME\tREADY\tREVISION\tIMAGE\n";
  for (const Json& item : items) {
    const Json& meta = item["metadata"];
    if (form == "name") {
      *call.out << (sets ? "replicaset.apps/" : "deployment.apps/")
                << meta["name"].get<std::string>() << "\n";
      continue;
    }
    *call.out << meta["name"].get<std::string>() << "\t" << item["spec"]["replicas"] << "\t"
              << meta["annotations"]["deployment.kubernetes.io/revision"].get<std::string>() << "\t"
              << item["spec"]["template"]["spec"]["containers"][0]["image"].get<std::string>()
              << "\n";
  }
  return {};
}

Status History(const Call& call, const std::string& name) {
  Result<std::int64_t> revision = NumberFlag(call, "revision", 0);
  if (!revision.ok()) return revision.error();
  Result<Json> state = ReadState(call);
  if (!state.ok()) return state.error();
  Result<Json*> found = FindDeployment(*state, call.ns, name);
  if (!found.ok()) return found.error();
  const Json& d = **found;
  std::ostream& out = *call.out;
  if (*revision > 0) {
    const Json* rs = FindRevision(d, *revision);
    if (rs == nullptr) return NotFoundError("error: unable to find the specified revision");
    out << "deployment.apps/" << name << " with revision #" << *revision << "\nPod Template:\n"
        << "  Labels:\tapp=" << d["labels"]["app"].get<std::string>()
        << "\n\tpod-template-hash=" << (*rs)["hash"].get<std::string>() << "\n";
    if ((*rs)["change_cause"].is_string()) {
      out << "  Annotations:\t" << kChangeCause << ": " << (*rs)["change_cause"].get<std::string>()
          << "\n";
    }
    out << "  Containers:\n";
    for (const Json& c : (*rs)["template"]["spec"]["containers"]) {
      out << "   " << c["name"].get<std::string>() << ":\n    Image:\t"
          << c["image"].get<std::string>()
          << "\n    Port:\t<none>\n    Host Port:\t<none>\n    Environment:\t<none>\n"
          << "    Mounts:\t<none>\n";
    }
    out << "  Volumes:\t<none>\n\n";
    return {};
  }
  std::map<std::int64_t, std::string> rows;
  for (const Json& rs : d["replica_sets"]) {
    rows[rs["revision"].get<std::int64_t>()] =
        rs["change_cause"].is_string() ? rs["change_cause"].get<std::string>() : "<none>";
  }
  out << "deployment.apps/" << name << " \nREVISION  CHANGE-CAUSE\n";
  for (const auto& [number, cause] : rows) {
    std::string column = std::to_string(number);
    column.resize(std::max<std::size_t>(column.size() + 1, 10), ' ');
    out << column << cause << "\n";
  }
  out << "\n";
  return {};
}

void Delay(const Call& call, const char* key) {
  Result<Json> state = ReadState(call);
  const Json value = state.ok() ? state->value(key, Json(0)) : Json(0);
  if (value.is_number_integer() && value.get<std::int64_t>() > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(value.get<std::int64_t>()));
  }
}

Status Undo(const Call& call, const std::string& name) {
  Result<std::int64_t> wanted = NumberFlag(call, "to-revision", 0);
  if (!wanted.ok()) return wanted.error();
  Delay(call, "delay_ms");
  std::string said;
  Status done = Change(call, name, [&](Json& d) -> Result<bool> {
    const Json* rs = FindRevision(d, *wanted);
    if (rs == nullptr && *wanted > 0) {
      return NotFoundError("error: unable to find specified revision " + std::to_string(*wanted) +
                           " in history");
    }
    if (rs == nullptr) {
      return NotFoundError("error: no rollout history found for deployment \"" + name + "\"");
    }
    const std::int64_t number = (*rs)["revision"].get<std::int64_t>();
    const Json pod_template = (*rs)["template"];
    const Json cause = (*rs)["change_cause"];
    if (!RollOut(d, pod_template, Now())) {
      said = "skipped rollback (current template already matches revision " +
             std::to_string(number) + ")";
      return false;
    }
    Annotate(d, kChangeCause, cause);
    said = "rolled back";
    return true;
  });
  if (!done.ok()) return done;
  Delay(call, "delay_after_ms");
  *call.out << "deployment.apps/" << name << " " << said << "\n";
  return {};
}

Status Rollout(const Call& call) {
  const std::string verb = call.words.size() > 1 ? call.words[1] : "";
  std::size_t at = 2;
  Result<std::string> name = DeploymentName(call, at);
  if (!name.ok()) return name.error();
  if (verb == "history") return History(call, *name);
  if (verb == "undo") return Undo(call, *name);
  if (verb == "status") {
    Result<Json> state = ReadState(call);
    if (!state.ok()) return state.error();
    Result<Json*> found = FindDeployment(*state, call.ns, *name);
    if (!found.ok()) return found.error();
    *call.out << "deployment \"" << *name << "\" successfully rolled out\n";
    return {};
  }
  return InvalidError("error: unknown command \"" + verb + "\" for \"kubectl rollout\"");
}

Status Dispatch(Call& call, std::string kubeconfig) {
  const std::string verb = call.words.empty() ? "" : call.words[0];
  if (verb == "version") {
    *call.out << "Client Version: stand-in of LiveOps' sandbox\n";
    return {};
  }
  if (const auto it = call.flags.find("kubeconfig"); it != call.flags.end()) {
    kubeconfig = it->second;
  }
  Result<std::string> path = StatePath(kubeconfig);
  if (!path.ok()) return path.error();
  call.state_path = *path;
  if (verb == "create") return Create(call);
  if (verb == "get") return Get(call);
  if (verb == "set") return SetImage(call);
  if (verb == "annotate") return AnnotateCommand(call);
  if (verb == "rollout") return Rollout(call);
  return InvalidError("Error: unknown command \"" + verb + "\" for \"kubectl\"");
}

}  // namespace

int Run(const std::vector<std::string>& args, const std::string& kubeconfig, std::ostream& out,
        std::ostream& err) {
  Result<Call> call = ReadArguments(args);
  Status done;
  if (call.ok()) {
    call->out = &out;
    done = Dispatch(*call, kubeconfig);
  } else {
    done = call.error();
  }
  if (done.ok()) return 0;
  err << done.error().message << "\n";
  return 1;
}

}  // namespace liveops::standin
