#pragma once

#include <string>

#include "common/base/result.h"
#include "common/rpc/server.h"

// Inside this folder.
namespace liveops::rpc {

struct TlsContents {
  std::string ca;
  std::string cert;
  std::string key;
};

// kInvalid, with the file's name, when one is not named, missing, unreadable or empty.
Result<TlsContents> ReadTlsFiles(const TlsFiles& files);

}  // namespace liveops::rpc
