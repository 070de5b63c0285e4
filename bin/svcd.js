#!/usr/bin/env node
// dist/ is what `npm run build` makes of src/.
import '../dist/cli/main.js'
