#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/base/result.h"

// The stand-in's state as JSON and what kubectl prints of it. Errors are kubectl's own words.
namespace liveops::standin {

using Json = nlohmann::json;

inline constexpr const char* kChangeCause = "kubernetes.io/change-cause";

// `default/backend-api` -> its stored Deployment; NotFound in the API server's words.
Result<Json*> FindDeployment(Json& state, const std::string& ns, const std::string& name);

// A new Deployment at revision 1.
Status CreateDeployment(Json& state, const std::string& ns, const std::string& name,
                        const std::string& image, int replicas, const std::string& now);

// Makes `pod_template` the one in force, as the deployment controller does: the ReplicaSet that has
// it already gets the next revision number and remembers its old one, else a new ReplicaSet is
// made. False when it is in force already.
bool RollOut(Json& deployment, const Json& pod_template, const std::string& now);

// The stored ReplicaSet of that revision; 0 = the one before the current. nullptr when there is
// none.
const Json* FindRevision(const Json& deployment, std::int64_t revision);
std::int64_t CurrentRevision(const Json& deployment);

// Sets (or, with a null value, removes) an annotation of the Deployment and of its newest
// ReplicaSet.
void Annotate(Json& deployment, const std::string& name, const Json& value);

// As `get -o json` prints them.
Json DeploymentView(const Json& deployment);
Json ReplicaSetView(const Json& deployment, const Json& replica_set);

// "k=v,k2=v2" against an object of labels.
bool SelectorMatches(const std::string& selector, const Json& labels);

}  // namespace liveops::standin
