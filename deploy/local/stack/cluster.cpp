#include "deploy/local/stack/cluster.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace liveops::stack {
namespace {

using nlohmann::json;

Result<RunOutcome> Checked(Result<RunOutcome> outcome) {
  if (outcome.ok() && !outcome->status.clean()) {
    return UnavailableError("kubectl: " + outcome->status.ToString() + ": " + outcome->err);
  }
  return outcome;
}

}  // namespace

Result<Cluster> Cluster::StandIn(const std::string& kubectl, const std::string& dir,
                                 const std::string& deployment,
                                 const std::vector<std::string>& images) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  Cluster cluster(kubectl, dir + "/kubeconfig");
  cluster.state_file_ = dir + "/state.json";
  if (std::filesystem::exists(cluster.state_file_, error)) return cluster;
  if (Status s = WriteFile(cluster.kubeconfig_, "standin-state: state.json\n"); !s.ok()) {
    return s.error();
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (i > 0) {
      if (Status s = cluster.SetImage(deployment, images[i]); !s.ok()) return s.error();
      continue;
    }
    Result<RunOutcome> made = Checked(
        cluster.Run({"create", "deployment", deployment, "--image=" + images[i], "--replicas=3"}));
    if (!made.ok()) return made.error();
  }
  return cluster;
}

Result<std::vector<std::string>> Cluster::Changes() const {
  if (state_file_.empty()) return NotFoundError("a real cluster keeps no list of changes");
  Result<std::string> text = ReadFile(state_file_);
  if (!text.ok()) return text.error();
  const json state = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!state.is_object()) return InternalError(state_file_ + " is not JSON");
  std::vector<std::string> changes;
  for (const json& change : state.value("changes", json::array())) {
    std::string line;
    for (const json& word : change.value("argv", json::array())) {
      if (!line.empty()) line += " ";
      line += word.get<std::string>();
    }
    changes.push_back(line);
  }
  return changes;
}

Result<RunOutcome> Cluster::Run(const std::vector<std::string>& arguments) const {
  ProcessSpec spec;
  spec.name = "kubectl";
  spec.argv = {kubectl_};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  spec.env["KUBECONFIG"] = kubeconfig_;
  return RunToEnd(spec, Duration(30'000));
}

Result<DeploymentState> Cluster::Get(const std::string& deployment) const {
  Result<RunOutcome> outcome = Checked(Run({"get", "deployment", deployment, "-o", "json"}));
  if (!outcome.ok()) return outcome.error();
  const json document = json::parse(outcome->out, nullptr, /*allow_exceptions=*/false);
  DeploymentState state;
  // Exceptions stay inside: a missing member is the only way that this can fail.
  try {
    const std::string revision =
        document.at("metadata").at("annotations").at("deployment.kubernetes.io/revision");
    state.revision = std::strtoll(revision.c_str(), nullptr, 10);
    state.image = document.at("spec").at("template").at("spec").at("containers").at(0).at("image");
  } catch (const json::exception& e) {
    return InternalError("kubectl's answer about deployment " + deployment + ": " + e.what());
  }
  return state;
}

Status Cluster::SetImage(const std::string& deployment, const std::string& image) const {
  Result<RunOutcome> outcome =
      Checked(Run({"set", "image", "deployment/" + deployment, deployment + "=" + image}));
  if (!outcome.ok()) return outcome.error();
  return {};
}

}  // namespace liveops::stack
