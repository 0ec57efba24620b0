import '../style/base.css';
import './home.css';
import { startPage } from '../parts/hydrate.tsx';
import { homePage } from './page.tsx';

startPage(homePage);
