#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "common/rpc/server.h"

// For the tests of this folder.
namespace liveops::rpc {

namespace fs = std::filesystem;

// Two authorities and the certificates that the tests need, made by the openssl command.
class Certificates {
 public:
  Certificates() {
    std::string pattern = (fs::temp_directory_path() / "liveops-rpc-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    Authority("ca");
    Authority("foreign");
    Leaf("server", "ca", "DNS:localhost,IP:127.0.0.1", 30);
    for (const char* role : {"emitter", "viewer", "operator", "approver"}) {
      Leaf(role, "ca", std::string("URI:liveops:role:") + role, 30);
    }
    Leaf("tied", "ca", "URI:liveops:role:viewer,URI:liveops:service:backend-api", 30);
    Leaf("nobody", "ca", "DNS:nobody", 30);
    // A role word in another kind of name is no role.
    Leaf("pretender", "ca", "DNS:liveops:role:approver,email:liveops:role:approver", 30);
    Leaf("intruder", "foreign", "URI:liveops:role:approver", 30);
    Expired("late");
  }
  ~Certificates() { fs::remove_all(folder_); }

  TlsFiles Files(const std::string& name) const {
    return {Path("ca.crt"), Path(name + ".crt"), Path(name + ".key")};
  }
  std::string Path(const std::string& file) const { return (folder_ / file).string(); }

 private:
  void Run(const std::string& command) const {
    const std::string all = "cd " + folder_.string() + " && " + command + " >>openssl.log 2>&1";
    if (std::system(all.c_str()) != 0) ADD_FAILURE() << "failed: " << command;
  }
  void Authority(const std::string& name) const {
    Run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "
        "'/CN=" +
        name + "' -keyout " + name + ".key -out " + name + ".crt");
  }
  void Request(const std::string& name, const std::string& sans) const {
    Run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=" + name +
        "' -addext 'subjectAltName=" + sans + "' -keyout " + name + ".key -out " + name + ".csr");
  }
  void Leaf(const std::string& name, const std::string& ca, const std::string& sans,
            int days) const {
    Request(name, sans);
    Run("openssl x509 -req -in " + name + ".csr -CA " + ca + ".crt -CAkey " + ca +
        ".key -CAcreateserial -copy_extensions copy -days " + std::to_string(days) + " -out " +
        name + ".crt");
  }
  void Expired(const std::string& name) const {
    Request(name, "URI:liveops:role:approver");
    Run("touch index.txt && printf "
        "'[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\nnew_certs_dir=.\\nrand_serial=yes\\n"
        "default_md=sha256\\npolicy=p\\ncopy_extensions=copy\\n[p]\\ncommonName=supplied\\n' > "
        "ca.cnf && "
        "openssl ca -batch -config ca.cnf -cert ca.crt -keyfile ca.key -in " +
        name + ".csr -out " + name + ".crt -startdate 20200101000000Z -enddate 20200102000000Z");
  }
  fs::path folder_;
};

}  // namespace liveops::rpc
