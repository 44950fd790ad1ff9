#include "common/rpc/files.h"

#include <fstream>
#include <sstream>

namespace liveops::rpc {
namespace {

Status ReadInto(const char* what, const std::string& path, std::string& out) {
  if (path.empty()) return InvalidError(std::string("no ") + what + " file is given for TLS");
  const std::ifstream file(path, std::ios::binary);
  if (!file) return InvalidError("cannot read " + path + " (" + what + ")");
  std::ostringstream text;
  text << file.rdbuf();
  out = text.str();
  if (out.find("-----BEGIN ") == std::string::npos)
    return InvalidError(path + " (" + what + ") holds no PEM block");
  return {};
}

}  // namespace

Result<TlsContents> ReadTlsFiles(const TlsFiles& files) {
  TlsContents out;
  if (const Status s = ReadInto("certificate authority", files.ca, out.ca); !s) return s.error();
  if (const Status s = ReadInto("certificate", files.cert, out.cert); !s) return s.error();
  if (const Status s = ReadInto("private key", files.key, out.key); !s) return s.error();
  return out;
}

}  // namespace liveops::rpc
