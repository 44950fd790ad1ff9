#include <cstdlib>
#include <iostream>

#include "deploy/local/kubectl/standin.h"

int main(int argc, char** argv) {
  const char* kubeconfig = std::getenv("KUBECONFIG");
  return liveops::standin::Run(std::vector<std::string>(argv + 1, argv + argc),
                               kubeconfig == nullptr ? "" : kubeconfig, std::cout, std::cerr);
}
