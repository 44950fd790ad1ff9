#include "deploy/local/kubectl/cluster.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/hash.h"
#include "common/base/text.h"

namespace liveops::standin {
namespace {

constexpr const char* kRevision = "deployment.kubernetes.io/revision";
constexpr const char* kRevisionHistory = "deployment.kubernetes.io/revision-history";
constexpr const char* kHashLabel = "pod-template-hash";

// Looks like one of the API server's, and is the same for the same words.
std::string Uid(const std::string& words) {
  const std::string h = Hex(Sha256Of(words));
  return h.substr(0, 8) + "-" + h.substr(8, 4) + "-4" + h.substr(13, 3) + "-8" + h.substr(17, 3) +
         "-" + h.substr(20, 12);
}

// Kubernetes spells such hashes without vowels and look-alikes (rand.SafeEncodeString).
std::string TemplateHash(const Json& pod_template) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  const std::string digits = std::to_string(Xxh64(pod_template.dump()) % 10'000'000'000u);
  std::string hash;
  for (const char c : digits) hash += kAlphabet[static_cast<unsigned char>(c) % kAlphabet.size()];
  return hash;
}

Json* NewestReplicaSet(Json& deployment) {
  Json* newest = nullptr;
  for (Json& rs : deployment["replica_sets"]) {
    if (newest == nullptr || rs["revision"] > (*newest)["revision"]) newest = &rs;
  }
  return newest;
}

}  // namespace

Result<Json*> FindDeployment(Json& state, const std::string& ns, const std::string& name) {
  Json& all = state["deployments"];
  const auto it = all.find(ns + "/" + name);
  if (it == all.end()) {
    return NotFoundError("Error from server (NotFound): deployments.apps \"" + name +
                         "\" not found");
  }
  return &*it;
}

Status CreateDeployment(Json& state, const std::string& ns, const std::string& name,
                        const std::string& image, int replicas, const std::string& now) {
  Json& all = state["deployments"];
  const std::string key = ns + "/" + name;
  if (all.contains(key)) {
    return ConflictError("error: failed to create deployment: deployments.apps \"" + name +
                         "\" already exists");
  }
  // As kubectl names the container: the image's last path element without tag or digest.
  std::string container = image.substr(image.rfind('/') + 1);
  container = container.substr(0, container.find_first_of(":@"));
  const Json labels = {{"app", name}};
  Json d = {{"namespace", ns},
            {"name", name},
            {"uid", Uid("deployment " + key + now)},
            {"created", now},
            {"generation", 0},
            {"replicas", replicas},
            {"labels", labels},
            {"annotations", Json::object()},
            {"replica_sets", Json::array()}};
  const Json pod_template = {
      {"metadata", {{"creationTimestamp", nullptr}, {"labels", labels}}},
      {"spec",
       {{"containers", Json::array({{{"image", image},
                                     {"imagePullPolicy", "IfNotPresent"},
                                     {"name", container},
                                     {"resources", Json::object()},
                                     {"terminationMessagePath", "/dev/termination-log"},
                                     {"terminationMessagePolicy", "File"}}})},
        {"dnsPolicy", "ClusterFirst"},
        {"restartPolicy", "Always"},
        {"schedulerName", "default-scheduler"},
        {"securityContext", Json::object()},
        {"terminationGracePeriodSeconds", 30}}}};
  RollOut(d, pod_template, now);
  all[key] = std::move(d);
  return {};
}

bool RollOut(Json& d, const Json& pod_template, const std::string& now) {
  if (d.contains("template") && d["template"] == pod_template) return false;
  const std::int64_t next = CurrentRevision(d) + 1;
  const Json cause = d["annotations"].value(kChangeCause, Json());
  d["template"] = pod_template;
  d["generation"] = d["generation"].get<std::int64_t>() + 1;
  for (Json& rs : d["replica_sets"]) {
    if (rs["template"] != pod_template) continue;
    const std::string old = std::to_string(rs["revision"].get<std::int64_t>());
    const std::string history = rs.value("history", "");
    rs["history"] = history.empty() ? old : history + "," + old;
    rs["revision"] = next;
    return true;
  }
  const std::string hash = TemplateHash(pod_template);
  const std::string name = d["name"].get<std::string>() + "-" + hash;
  d["replica_sets"].push_back({{"name", name},
                               {"hash", hash},
                               {"uid", Uid("replicaset " + name + now)},
                               {"created", now},
                               {"template", pod_template},
                               {"revision", next},
                               {"change_cause", cause}});
  return true;
}

std::int64_t CurrentRevision(const Json& d) {
  std::int64_t newest = 0;
  for (const Json& rs : d["replica_sets"]) {
    newest = std::max(newest, rs["revision"].get<std::int64_t>());
  }
  return newest;
}

const Json* FindRevision(const Json& d, std::int64_t revision) {
  const std::int64_t current = CurrentRevision(d);
  const Json* found = nullptr;
  for (const Json& rs : d["replica_sets"]) {
    const auto number = rs["revision"].get<std::int64_t>();
    if (revision != 0) {
      if (number == revision) return &rs;
    } else if (number < current &&
               (found == nullptr || number > (*found)["revision"].get<std::int64_t>())) {
      found = &rs;
    }
  }
  return found;
}

void Annotate(Json& d, const std::string& name, const Json& value) {
  if (value.is_null()) {
    d["annotations"].erase(name);
  } else {
    d["annotations"][name] = value;
  }
  // The controller copies annotations to the newest ReplicaSet; of those only this one is ever
  // read.
  Json* newest = NewestReplicaSet(d);
  if (name == kChangeCause && newest != nullptr) (*newest)["change_cause"] = value;
}

Json DeploymentView(const Json& d) {
  Json annotations = d["annotations"];
  annotations[kRevision] = std::to_string(CurrentRevision(d));
  const Json& replicas = d["replicas"];
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata",
           {{"annotations", annotations},
            {"creationTimestamp", d["created"]},
            {"generation", d["generation"]},
            {"labels", d["labels"]},
            {"name", d["name"]},
            {"namespace", d["namespace"]},
            {"resourceVersion", std::to_string(d["generation"].get<std::int64_t>())},
            {"uid", d["uid"]}}},
          {"spec",
           {{"progressDeadlineSeconds", 600},
            {"replicas", replicas},
            {"revisionHistoryLimit", 10},
            {"selector", {{"matchLabels", d["labels"]}}},
            {"strategy",
             {{"rollingUpdate", {{"maxSurge", "25%"}, {"maxUnavailable", "25%"}}},
              {"type", "RollingUpdate"}}},
            {"template", d["template"]}}},
          {"status",
           {{"availableReplicas", replicas},
            {"observedGeneration", d["generation"]},
            {"readyReplicas", replicas},
            {"replicas", replicas},
            {"updatedReplicas", replicas}}}};
}

Json ReplicaSetView(const Json& d, const Json& rs) {
  Json labels = d["labels"];
  labels[kHashLabel] = rs["hash"];
  Json pod_template = rs["template"];
  pod_template["metadata"]["labels"][kHashLabel] = rs["hash"];
  Json annotations = {
      {"deployment.kubernetes.io/desired-replicas", std::to_string(d["replicas"].get<int>())},
      {kRevision, std::to_string(rs["revision"].get<std::int64_t>())}};
  if (rs.contains("history")) annotations[kRevisionHistory] = rs["history"];
  if (rs["change_cause"].is_string()) annotations[kChangeCause] = rs["change_cause"];
  const Json replicas = rs["template"] == d["template"] ? d["replicas"] : Json(0);
  return {{"apiVersion", "apps/v1"},
          {"kind", "ReplicaSet"},
          {"metadata",
           {{"annotations", annotations},
            {"creationTimestamp", rs["created"]},
            {"generation", 1},
            {"labels", labels},
            {"name", rs["name"]},
            {"namespace", d["namespace"]},
            {"ownerReferences", Json::array({{{"apiVersion", "apps/v1"},
                                              {"blockOwnerDeletion", true},
                                              {"controller", true},
                                              {"kind", "Deployment"},
                                              {"name", d["name"]},
                                              {"uid", d["uid"]}}})},
            {"uid", rs["uid"]}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", labels}}},
            {"template", pod_template}}},
          {"status", {{"observedGeneration", 1}, {"replicas", replicas}}}};
}

bool SelectorMatches(const std::string& selector, const Json& labels) {
  for (const std::string_view term : Split(selector, ',')) {
    if (Trim(term).empty()) continue;
    const std::size_t equal = term.find('=');
    const std::string name(Trim(term.substr(0, equal)));
    const auto it = labels.find(name);
    if (it == labels.end()) return false;
    if (equal == std::string_view::npos) continue;
    std::string_view value = term.substr(equal + 1);
    if (value.starts_with('=')) value.remove_prefix(1);
    if (*it != std::string(Trim(value))) return false;
  }
  return true;
}

}  // namespace liveops::standin
