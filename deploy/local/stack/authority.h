#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"

namespace liveops::stack {

struct Identity {
  std::string name;  // the certificate's common name
  std::string cert;  // PEM file paths
  std::string key;   // mode 0600
};

// A certificate authority of the sandbox's own, by the openssl command: EC P-256 keys, certificates
// good for 825 days. What it made before in the same folder is used again. Thread-safe: immutable
// after Open.
class Authority {
 public:
  // Makes `dir` (mode 0700) and the authority's certificate when missing. kInternal: openssl's
  // words.
  static Result<Authority> Open(const std::string& dir);

  const std::string& ca_file() const { return ca_file_; }

  // A certificate for `name`, good as a server's on localhost and 127.0.0.1 and as a client's, with
  // one URI name `liveops:role:<role>` for each of `roles` (emitter, viewer, operator, approver).
  Result<Identity> Issue(const std::string& name, const std::vector<std::string>& roles) const;

 private:
  explicit Authority(std::string dir);
  std::string dir_;
  std::string ca_file_;
};

}  // namespace liveops::stack
