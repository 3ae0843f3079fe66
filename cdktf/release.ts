import { TerraformResource } from 'cdktf'
import { Construct } from 'constructs'
import { hcl } from './hcl.ts'
import { comment } from './hcl-blocks.ts'

const COMMAND = `set -eu
curl --fail --silent --show-error --location --proto '=https' --output "$FILE.part" "$URL"
{ sha256sum "$FILE.part" 2> /dev/null || shasum -a 256 "$FILE.part"; } | grep -qi "^$SHA256 " || {
  echo "function_release: the file at $URL does not have the checksum $SHA256" >&2
  exit 1
}
mv "$FILE.part" "$FILE"
`

/** A release's function.zip, fetched and checked where Terraform runs, once for each region that it goes to. */
export class Release extends Construct {
  readonly file = `${hcl('path.module')}/release-${hcl('each.key')}.zip`
  readonly download: TerraformResource

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.download = new TerraformResource(this, 'download', { terraformResourceType: 'terraform_data' })
    const settings = {
      for_each: hcl('var.function_release == null ? toset([]) : local.regions'),
      // What makes Lambda ask for the code anew.
      triggers_replace: ['var.function_release', 'local.name', 'var.architecture'].map(hcl),
      provisioner: [
        {
          'local-exec': {
            interpreter: ['/bin/sh', '-c'],
            command: COMMAND,
            environment: {
              FILE: this.file,
              URL: hcl('var.function_release.url'),
              SHA256: hcl('var.function_release.sha256'),
            },
          },
        },
      ],
    }
    for (const [name, value] of Object.entries(settings)) this.download.addOverride(name, value)
    comment(
      this.download,
      "The file is needed only when the function's code changes, and is fetched only then.",
    )
  }
}
