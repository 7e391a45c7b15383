{
  description = "See what Kata Containers makes of pod annotations before a pod is started";

  inputs.nixpkgs.url = "nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      manifest = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;
    in
    {
      packages = each (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = manifest.name;
          version = manifest.version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          # the suite drives pseudo-terminals and lays out hosts, which the build sandbox does not offer
          doCheck = false;
          postInstall = ''
            $out/bin/katascope man > katascope.1
            installManPage katascope.1
            for shell in bash zsh fish; do $out/bin/katascope completions $shell > katascope.$shell; done
            installShellCompletion katascope.{bash,zsh,fish}
          '';
          meta = {
            description = manifest.description;
            license = nixpkgs.lib.licenses.asl20;
            mainProgram = "katascope";
          };
        };
      });
      devShells = each (pkgs: {
        default = pkgs.mkShell { packages = with pkgs; [ cargo rustc rustfmt clippy python3 qemu ]; };
      });
    };
}
