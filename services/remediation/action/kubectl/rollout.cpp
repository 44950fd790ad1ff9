#include "services/remediation/action/kubectl/rollout.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "common/base/hash.h"
#include "common/base/text.h"

namespace liveops::remediation {
namespace {

using Json = nlohmann::json;

constexpr const char* kRevision = "deployment.kubernetes.io/revision";
constexpr const char* kRevisionHistory = "deployment.kubernetes.io/revision-history";

// The member, or null; never throws.
const Json& At(const Json& object, std::string_view name) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto it = object.find(name);
  return it == object.end() ? null : *it;
}

std::string Text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t Number(const Json& value) {
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

std::int64_t ToNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

// nlohmann's objects are sorted by key, so dumping gives canonical text once nulls are out.
void DropNulls(Json& value) {
  if (value.is_object()) {
    for (auto it = value.begin(); it != value.end();) {
      if (it->is_null()) {
        it = value.erase(it);
      } else {
        DropNulls(*it++);
      }
    }
  } else if (value.is_array()) {
    for (Json& item : value) DropNulls(item);
  }
}

std::string TemplateHash(Json pod_template) {
  DropNulls(pod_template);
  Json& labels = pod_template["metadata"]["labels"];
  if (labels.is_object()) labels.erase("pod-template-hash");
  return Hex(Sha256Of(pod_template.dump(-1, ' ', false, Json::error_handler_t::replace)))
      .substr(0, 32);
}

std::string FirstImage(const Json& pod_template) {
  const Json& containers = At(At(pod_template, "spec"), "containers");
  if (!containers.is_array() || containers.empty()) return "";
  return Truncate(ScrubUtf8(Text(At(containers.front(), "image"))), 120);
}

// Only characters that label keys and values may have, so that nothing else gets onto a command
// line.
bool IsLabelText(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
           c == '/';
  });
}

std::string SelectorOf(const Json& spec) {
  const Json& labels = At(At(spec, "selector"), "matchLabels");
  std::string selector;
  if (!labels.is_object()) return selector;
  for (const auto& [name, value] : labels.items()) {
    if (!IsLabelText(name) || !IsLabelText(Text(value)) || name.empty() || name[0] == '-')
      return "";
    selector += (selector.empty() ? "" : ",") + name + "=" + Text(value);
  }
  return selector;
}

bool OwnedBy(const Json& metadata, const std::string& uid) {
  for (const Json& reference : At(metadata, "ownerReferences")) {
    if (Text(At(reference, "uid")) == uid) return true;
  }
  return false;
}

}  // namespace

Result<Deployment> ReadDeployment(std::string_view json) {
  const Json root = Json::parse(json, nullptr, false);
  const Json& metadata = At(root, "metadata");
  const Json& pod_template = At(At(root, "spec"), "template");
  if (Text(At(root, "kind")) != "Deployment" || !pod_template.is_object()) {
    return InvalidError("kubectl's answer is not a Deployment");
  }
  Deployment d;
  d.uid = Text(At(metadata, "uid"));
  d.selector = SelectorOf(At(root, "spec"));
  d.template_hash = TemplateHash(pod_template);
  d.image = FirstImage(pod_template);
  d.revision = ToNumber(Text(At(At(metadata, "annotations"), kRevision)));
  d.settled =
      Number(At(At(root, "status"), "observedGeneration")) >= Number(At(metadata, "generation"));
  return d;
}

Result<Rollout> ReadRollout(const Deployment& deployment, std::string_view replica_sets_json) {
  const Json root = Json::parse(replica_sets_json, nullptr, false);
  const Json& items = At(root, "items");
  if (!items.is_array()) return InvalidError("kubectl's answer is not a list of ReplicaSets");
  Rollout rollout;
  rollout.deployment = deployment;
  for (const Json& item : items) {
    const Json& metadata = At(item, "metadata");
    if (!OwnedBy(metadata, deployment.uid)) continue;
    const Json& annotations = At(metadata, "annotations");
    const Json& pod_template = At(At(item, "spec"), "template");
    Revision revision;
    revision.number = ToNumber(Text(At(annotations, kRevision)));
    if (revision.number < 1 || !pod_template.is_object()) continue;
    revision.first_number = revision.number;
    const std::string history = Text(At(annotations, kRevisionHistory));
    for (const std::string_view earlier : Split(history, ',')) {
      const std::int64_t number = ToNumber(Trim(earlier));
      if (number > 0) revision.first_number = std::min(revision.first_number, number);
    }
    revision.template_hash = TemplateHash(pod_template);
    revision.image = FirstImage(pod_template);
    if (revision.template_hash == deployment.template_hash &&
        revision.number > rollout.current.number) {
      rollout.current = revision;
    } else {
      rollout.others.push_back(revision);
    }
  }
  if (rollout.current.number == 0) {
    return UnavailableError("the rollout of the current template has not begun");
  }
  std::sort(rollout.others.begin(), rollout.others.end(),
            [](const Revision& a, const Revision& b) { return a.number < b.number; });
  return rollout;
}

Result<Revision> ChooseTarget(const Rollout& rollout, const std::vector<std::string>& avoid) {
  std::string passed_over;
  for (auto it = rollout.others.rbegin(); it != rollout.others.rend(); ++it) {
    if (it->template_hash == rollout.current.template_hash) continue;
    const char* why = nullptr;
    if (std::find(avoid.begin(), avoid.end(), it->template_hash) != avoid.end()) {
      why = " was itself rolled back lately";
    } else if (it->first_number >= rollout.current.first_number) {
      why = " is newer than the template in force";
    }
    if (why == nullptr) return *it;
    passed_over += "; revision " + std::to_string(it->number) + why;
  }
  return ConflictError("revision " + std::to_string(rollout.current.number) +
                       " is in force and there is no earlier one to go back to" + passed_over);
}

}  // namespace liveops::remediation
