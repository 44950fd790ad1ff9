#include "deploy/local/stack/authority.h"

#include <sys/stat.h>

#include <filesystem>

#include "deploy/local/stack/process.h"

namespace liveops::stack {
namespace {

Status Openssl(const std::string& what, std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.name = what;
  spec.argv = {
      "openssl", "req",   "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
      "-nodes",  "-batch"};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  Result<RunOutcome> outcome = RunToEnd(spec, Duration(30'000));
  if (!outcome.ok()) return outcome.error();
  if (!outcome->status.clean()) return InternalError(what + ": " + outcome->err);
  return {};
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

}  // namespace

Authority::Authority(std::string dir) : dir_(std::move(dir)), ca_file_(dir_ + "/ca.crt") {}

Result<Authority> Authority::Open(const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  // Before any key is written into it.
  if (chmod(dir.c_str(), 0700) != 0) return UnavailableError("cannot make " + dir);
  Authority authority(dir);
  if (!Exists(authority.ca_file_)) {
    Status made =
        Openssl("the sandbox's certificate authority",
                {"-keyout", dir + "/ca.key", "-out", authority.ca_file_, "-days", "3650", "-subj",
                 "/CN=LiveOps sandbox authority", "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign"});
    if (!made.ok()) return made.error();
  }
  return authority;
}

Result<Identity> Authority::Issue(const std::string& name,
                                  const std::vector<std::string>& roles) const {
  Identity identity{name, dir_ + "/" + name + ".crt", dir_ + "/" + name + ".key"};
  if (Exists(identity.cert) && Exists(identity.key)) return identity;
  std::string names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  for (const std::string& role : roles) names += ",URI:liveops:role:" + role;
  Status made =
      Openssl("a certificate for " + name, {"-CA",     ca_file_,
                                            "-CAkey",  dir_ + "/ca.key",
                                            "-keyout", identity.key,
                                            "-out",    identity.cert,
                                            "-days",   "825",
                                            "-subj",   "/CN=" + name,
                                            "-addext", names,
                                            "-addext", "basicConstraints=critical,CA:FALSE",
                                            "-addext", "keyUsage=critical,digitalSignature",
                                            "-addext", "extendedKeyUsage=serverAuth,clientAuth"});
  if (!made.ok()) return made.error();
  chmod(identity.key.c_str(), 0600);
  return identity;
}

}  // namespace liveops::stack
