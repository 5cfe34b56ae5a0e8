// Command hydra is Ory Hydra as it comes, for `go run ./bench --peers`. It has a
// module of its own, outside the workspace: nothing of ours inherits what Hydra
// needs.
package main

import "github.com/ory/hydra/v2/cmd"

func main() { cmd.Execute() }
