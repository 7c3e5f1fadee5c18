// Before any test: the console's page is what its sources say, also where nobody has called the build.

import { buildPage } from '../../lab/page.ts'

export const setup = (): void => buildPage()
