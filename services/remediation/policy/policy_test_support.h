#pragma once

#include "services/remediation/policy/identity.h"
#include "services/remediation/policy/record.h"

// Records for this folder's tests.
namespace liveops::remediation::testing_support {

inline Instant At(int seconds) {
  return InstantFromMs(1'770'000'000'000) + Duration(seconds * 1000);
}

// Proposed at At(0) + `started` seconds, to be approved within 900 s.
inline Proposed MakeProposal(int started = 0, const std::string& scenario = "surge") {
  Proposed p;
  p.service = "shop";
  p.scenario = scenario;
  p.alarm_id = "shop/scenario:" + scenario;
  p.episode = At(started);
  p.action = {"kubectl",
              "deployment/shop",
              "default",
              {"kubectl", "rollout", "undo", "deployment/shop", "--to-revision=42"},
              {{"revision", "43"}, {"template", "bbbb"}},
              {{"template", "aaaa"}},
              "roll back"};
  p.digest = ActionDigest(p.action);
  p.expires = At(started + 900);
  p.requested_by = "planbot";
  p.plan_version = 3;
  p.expect = "ratio(a, b) over 1min < 1%";
  p.expect_within = Duration(300'000);
  return p;
}

inline Record MakeRecord(Instant at, std::int64_t offset, std::int64_t epoch, int started = 0,
                         const std::string& scenario = "surge") {
  Record record;
  record.id = RemediationId("shop/scenario:" + scenario, At(started), scenario);
  record.clock = at;
  record.partition = 3;
  record.offset = offset;
  record.epoch = epoch;
  return record;
}

}  // namespace liveops::remediation::testing_support
