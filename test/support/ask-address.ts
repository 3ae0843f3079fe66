import { askAddress } from '../../function/address-service.ts'
import { errorData } from '../../tunnel/net/coded-error.ts'

// Asks each address service that is named, on Node as the function does, and prints a line of JSON for it.

for (const url of process.argv.slice(2))
  console.log(
    JSON.stringify(
      await askAddress(url).then(
        address => ({ address }),
        error => errorData(error),
      ),
    ),
  )
