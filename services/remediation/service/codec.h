#pragma once

#include <string>

#include "common/base/result.h"
#include "common/base/time.h"
#include "services/remediation/policy/ledger.h"
#include "services/remediation/policy/record.h"

namespace liveops::v1 {
class RemediationRecord;
class RemediationStatus;
}  // namespace liveops::v1

// Between liveops.v1's messages and the policy's plain values.
namespace liveops::remediation {

using Body = decltype(Record::body);

// Fills the record's oneof.
void ToProto(const Body& body, v1::RemediationRecord* out);

// kInvalid: no remediation body (a claim, say), an empty id, a value that no writer of ours makes.
Result<Record> FromProto(const v1::RemediationRecord& record);

// Without history.
v1::RemediationStatus ToStatus(const Remediation& r);

}  // namespace liveops::remediation
